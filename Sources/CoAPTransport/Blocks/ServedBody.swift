import CoAPMessages
import Primitives

/// An answer that is too large for one message and is handed out block by block.
///
/// - Source: RFC 7959, section 2.4.
struct ServedBody {
    let key: RequestKey
    /// The whole answer, with an ETag.
    let response: CoAPResponse
    var expires: MonotonicTime

    init(key: RequestKey, response: CoAPResponse, expires: MonotonicTime) {
        self.key = key
        self.response = ServedBody.tagged(response)
        self.expires = expires
    }

    /// The answer with an ETag of its content, so that a peer notices when later blocks belong to another one.
    static func tagged(_ response: CoAPResponse) -> CoAPResponse {
        guard response.options.first(.eTag) == nil else { return response }
        var response = response
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in response.payload { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        response.options.append(.eTag, unsigned: hash | 1)
        return response
    }

    /// One block of an answer; nil when it begins behind the end.
    static func block(number: Int, exponent: Int, of response: CoAPResponse) -> CoAPResponse? {
        var block = BlockOption(number: number, hasMore: false, exponent: exponent)
        guard block.offset < response.payload.count || number == 0 else { return nil }
        let end = min(block.offset + block.size, response.payload.count)
        block.hasMore = end < response.payload.count
        var part = CoAPResponse(
            response.code,
            options: response.options.withoutBlocks,
            payload: Array(response.payload[block.offset..<end])
        )
        block.write(.block2, to: &part.options)
        if number == 0 { part.options.append(.size2, unsigned: UInt64(response.payload.count)) }
        return part
    }
}
