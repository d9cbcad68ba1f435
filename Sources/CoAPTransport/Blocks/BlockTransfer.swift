import CoAPMessages

/// The client's side of a request or answer that does not fit into one message.
final class BlockTransfer {
    /// How much of the request's body has been sent and acknowledged.
    var sent = 0
    var exponent: Int
    /// The part of the request's body that is under way; empty once the whole body has been taken.
    var underWay = 0..<0
    /// The answer's body so far.
    var received: [UInt8] = []
    /// The answer's first block, whose options count.
    var first: CoAPResponse?

    init(exponent: Int) {
        self.exponent = exponent
    }

    /// Adds a block of the answer.
    ///
    /// - Returns: false when it does not continue what is there.
    func add(_ block: BlockOption, of response: CoAPResponse, limit: Int) -> Bool {
        guard block.offset == self.received.count, self.received.count + response.payload.count <= limit,
            block.hasMore ? response.payload.count == block.size : response.payload.count <= block.size
        else { return false }
        if let first = self.first {
            guard first.options.first(.eTag) == response.options.first(.eTag), first.code == response.code else {
                return false
            }
        } else {
            self.first = response
        }
        self.received.append(contentsOf: response.payload)
        return true
    }

    /// The whole answer.
    func whole(_ last: CoAPResponse) -> CoAPResponse {
        CoAPResponse(last.code, options: (self.first ?? last).options.withoutBlocks, payload: self.received)
    }
}
