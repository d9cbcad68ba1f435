public import CoAPMessages
public import CoAPTransport
import Primitives

/// Where a server listens: a scheme, an address of this machine and a port.
public struct ListenAddress: Hashable, Sendable {
    /// Whether sessions are secured.
    public var scheme: CoAPURI.Scheme
    /// The address; port 0 lets the system choose.
    public var address: SocketAddress

    /// Creates an address from its parts.
    public init(scheme: CoAPURI.Scheme, address: SocketAddress) {
        self.scheme = scheme
        self.address = address
    }

    /// Reads `coaps://127.0.0.1:5684`; an address without a port has the scheme's, and port 0 is allowed.
    ///
    /// - Throws: a sentence for people.
    public init(parsing text: String) throws(ServiceError) {
        let scheme: CoAPURI.Scheme
        if text.hasPrefix("coaps://") {
            scheme = .coaps
        } else if text.hasPrefix("coap://") {
            scheme = .coap
        } else {
            throw Self.unreadable(text)
        }
        let rest = String(text.dropFirst(scheme == .coaps ? 8 : 7))
        guard var address = SocketAddress(parsing: UTF8Text(rest)) else { throw Self.unreadable(text) }
        let namesPort = rest.hasSuffix("]") ? false : rest.contains(":")
        if address.port == 0, !namesPort { address.port = scheme.defaultPort }
        self.init(scheme: scheme, address: address)
    }

    /// The address as a URI.
    public var text: String { (self.scheme == .coaps ? "coaps://" : "coap://") + self.address.text }

    private static func unreadable(_ text: String) -> ServiceError {
        ServiceError(
            "'\(text)' is not an address to listen on",
            hint:
                "write an address of this machine as coaps://127.0.0.1:5684, coap://[::1]:5683; port 0 is any free one"
        )
    }
}
