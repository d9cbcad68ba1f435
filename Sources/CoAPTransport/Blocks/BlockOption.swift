import CoAPMessages

/// A Block1 or Block2 option: which part of a body, whether more follows, and how large the parts are.
///
/// - Source: RFC 7959, section 2.2.
struct BlockOption: Hashable {
    /// The largest size exponent: blocks of 1,024 bytes.
    static let largestExponent = 6

    /// The number of the block, 0 to 1,048,575.
    var number: Int
    /// Whether more blocks follow.
    var hasMore: Bool
    /// 0 to 6, for blocks of 16 to 1,024 bytes.
    var exponent: Int

    /// How many bytes a block has; the last one may have fewer.
    var size: Int { 16 << self.exponent }
    /// Where the block begins in the body.
    var offset: Int { self.number << (self.exponent + 4) }

    init(number: Int, hasMore: Bool, exponent: Int) {
        self.number = number
        self.hasMore = hasMore
        self.exponent = exponent
    }

    /// Reads an option's value; nil when it is longer than 3 bytes or has the reserved size.
    init?(decoding value: [UInt8]) {
        guard value.count <= 3 else { return nil }
        var raw = 0
        for byte in value { raw = raw << 8 | Int(byte) }
        guard raw & 7 <= BlockOption.largestExponent else { return nil }
        self.init(number: raw >> 4, hasMore: raw & 8 != 0, exponent: raw & 7)
    }

    /// What an option of a message says.
    enum Reading {
        case absent
        case block(BlockOption)
        case malformed
    }

    static func read(_ number: CoAPOptionNumber, in options: CoAPOptions) -> Reading {
        guard let value = options.first(number) else { return .absent }
        guard let block = BlockOption(decoding: value) else { return .malformed }
        return .block(block)
    }

    func write(_ number: CoAPOptionNumber, to options: inout CoAPOptions) {
        options.append(number, unsigned: UInt64(self.number << 4 | (self.hasMore ? 8 : 0) | self.exponent))
    }

    /// The largest exponent whose blocks fit into a number of bytes; nil when not even 16 bytes fit.
    static func exponent(fitting room: Int) -> Int? {
        for exponent in stride(from: self.largestExponent, through: 0, by: -1) where 16 << exponent <= room {
            return exponent
        }
        return nil
    }
}

extension CoAPOptions {
    /// The options without those that belong to one block rather than to the whole body.
    var withoutBlocks: CoAPOptions {
        var options = self
        for number in [CoAPOptionNumber.block1, .block2, .size1, .size2] where options.first(number) != nil {
            options.remove(number)
        }
        return options
    }

    /// How many bytes the options take in a message, at most.
    var sizeLimit: Int { self.all.reduce(0) { $0 + 5 + $1.value.count } }
}
