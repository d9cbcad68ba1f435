public import Primitives

/// A `coap` or `coaps` URI: scheme, host, port, path and query.
///
/// - Source: RFC 7252, section 6; RFC 3986 for the syntax.
public struct CoAPURI: Hashable, Sendable {
    /// Whether the connection is secured.
    public enum Scheme: Hashable, Sendable {
        case coap
        case coaps

        /// 5683 for coap, 5684 for coaps.
        public var defaultPort: UInt16 { self == .coap ? 5683 : 5684 }
    }

    /// Why a text is not a CoAP URI.
    public enum ParseError: Error, Hashable, Sendable {
        /// The scheme is missing or neither `coap` nor `coaps`.
        case unsupportedScheme
        /// The host is missing, or holds a character that a host may not.
        case invalidHost
        /// The port is not a number from 1 to 65535.
        case invalidPort
        /// A path or query has a character that must be escaped, or an escape that is none; at this byte.
        case invalidCharacter(at: Int)
        /// A fragment, which CoAP does not have, or user information.
        case unexpectedPart
        /// More than 255 bytes, the most a Security object holds.
        case tooLong
    }

    /// The scheme.
    public var scheme: Scheme
    /// The host in lower case: a name, an IPv4 address, or an IPv6 address without brackets.
    public var host: UTF8Text
    /// The port, which is the scheme's when the text named none.
    public var port: UInt16
    /// The segments of the path, unescaped.
    public var path: [UTF8Text]
    /// The queries, unescaped.
    public var query: [UTF8Text]

    /// Creates a URI from its parts.
    ///
    /// - Parameter port: nil stands for the scheme's default.
    public init(scheme: Scheme, host: UTF8Text, port: UInt16? = nil, path: [UTF8Text] = [], query: [UTF8Text] = []) {
        self.scheme = scheme
        self.host = host
        self.port = port ?? scheme.defaultPort
        self.path = path
        self.query = query
    }
}
