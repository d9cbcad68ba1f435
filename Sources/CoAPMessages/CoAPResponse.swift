/// An answer or notification without what the transport adds: message id, token, blocks and retransmission.
public struct CoAPResponse: Hashable, Sendable {
    /// The code: 2.xx, 4.xx or 5.xx.
    public var code: CoAPCode
    /// The options, without Block1, Block2, Size1 and Size2.
    public var options: CoAPOptions
    /// The whole body; empty when there is none.
    public var payload: [UInt8]

    /// Creates an answer from its parts.
    public init(_ code: CoAPCode, options: CoAPOptions = CoAPOptions(), payload: [UInt8] = []) {
        self.code = code
        self.options = options
        self.payload = payload
    }

    /// Creates an answer with a body in a format.
    public init(_ code: CoAPCode, contentFormat: ContentFormat, payload: [UInt8]) {
        self.init(code, payload: payload)
        self.options.append(.contentFormat, unsigned: UInt64(contentFormat.rawValue))
    }
}
