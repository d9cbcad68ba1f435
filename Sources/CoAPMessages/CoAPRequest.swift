public import Primitives

/// A request without what the transport adds: message id, token, blocks and retransmission.
public struct CoAPRequest: Hashable, Sendable {
    /// The method: 0.01 to 0.07.
    public var method: CoAPCode
    /// The options, without Block1, Block2, Size1 and Size2.
    public var options: CoAPOptions
    /// The whole body; empty when there is none.
    public var payload: [UInt8]

    /// Creates a request from its parts.
    public init(method: CoAPCode, options: CoAPOptions = CoAPOptions(), payload: [UInt8] = []) {
        self.method = method
        self.options = options
        self.payload = payload
    }

    /// Creates a request for a path.
    ///
    /// - Parameters:
    ///   - method: 0.01 to 0.07.
    ///   - path: the segments, without slashes.
    ///   - query: the queries, each `name` or `name=value`.
    ///   - contentFormat: the format of the payload.
    ///   - accept: the format wanted back.
    ///   - payload: the body.
    public init(
        _ method: CoAPCode,
        path: [UTF8Text],
        query: [UTF8Text] = [],
        contentFormat: ContentFormat? = nil,
        accept: ContentFormat? = nil,
        payload: [UInt8] = []
    ) {
        self.init(method: method, payload: payload)
        for segment in path { self.options.append(.uriPath, segment.bytes) }
        if let contentFormat { self.options.append(.contentFormat, unsigned: UInt64(contentFormat.rawValue)) }
        for item in query { self.options.append(.uriQuery, item.bytes) }
        if let accept { self.options.append(.accept, unsigned: UInt64(accept.rawValue)) }
    }

    /// The segments of the path; nil when one of them is not UTF-8.
    public var path: [UTF8Text]? { self.options.texts(.uriPath) }

    /// The queries; nil when one of them is not UTF-8.
    public var query: [UTF8Text]? { self.options.texts(.uriQuery) }
}
