import CoAPMessages
import Primitives

/// A body that arrives in blocks.
///
/// It grows by what has arrived, never by what a peer announces.
///
/// - Source: RFC 7959, sections 2.5 and 2.9.
struct BodyAssembly {
    /// What became of a block.
    enum Outcome: Equatable {
        /// Kept; the next one is wanted.
        case wantsMore
        /// The body is whole.
        case complete([UInt8])
        /// A block is missing or out of order.
        case incomplete
        /// A block that is not the last has another length than it says.
        case malformed
        /// The body is larger than allowed.
        case tooLarge
    }

    let key: RequestKey
    private(set) var bytes: [UInt8] = []
    var expires: MonotonicTime
    /// How long the latest block was, so that its repetition is recognised.
    private var latest = 0

    init(key: RequestKey, expires: MonotonicTime) {
        self.key = key
        self.expires = expires
    }

    mutating func add(_ block: BlockOption, payload: [UInt8], limit: Int) -> Outcome {
        if block.hasMore ? payload.count != block.size : payload.count > block.size { return .malformed }
        if block.hasMore, self.latest == payload.count, block.offset + payload.count == self.bytes.count,
            !self.bytes.isEmpty
        {
            return .wantsMore
        }
        guard block.offset == self.bytes.count else { return .incomplete }
        guard self.bytes.count + payload.count <= limit else { return .tooLarge }
        self.bytes.append(contentsOf: payload)
        self.latest = payload.count
        return block.hasMore ? .wantsMore : .complete(self.bytes)
    }
}
