internal import Primitives

/// Reads CBOR item by item and holds nothing but the item at hand.
///
/// Every width of number, half to double floats, definite and indefinite lengths and tags are read. A length is
/// believed only as far as bytes are left, and items stand at most ``maximumDepth`` deep in one another.
///
/// - Source: RFC 8949, section 3.
package struct CBORReader: Sendable {
    /// What stands at the head of an item.
    package enum Head: Hashable, Sendable {
        case unsigned(UInt64)
        /// The number is -1 minus this.
        case negative(UInt64)
        /// A length is nil when the item is indefinite.
        case bytes(Int?)
        case text(Int?)
        case array(Int?)
        /// The length counts pairs.
        case map(Int?)
        case tag(UInt64)
        /// False is 20, true 21, null 22 and undefined 23.
        case simple(UInt8)
        case float(Double)
        /// The break that ends an indefinite item.
        case stop
    }

    static let maximumDepth = 16

    private var reader: ByteReader

    package init(_ bytes: [UInt8]) {
        self.reader = ByteReader(bytes)
    }

    /// How many bytes were read.
    var offset: Int { self.reader.offset }

    package var isAtEnd: Bool { self.reader.isAtEnd }

    /// Consumes the break that ends an indefinite item, when it comes next.
    mutating func consumeStop() throws(PayloadDecodingError) -> Bool {
        guard let next = self.reader.peeked else { throw .truncated(at: self.offset) }
        guard next == 0xFF else { return false }
        _ = try self.readUnsigned(byteCount: 1)
        return true
    }

    /// Whether a group of a definite or indefinite length has another item; counts it when it has.
    mutating func hasNext(_ left: inout Int?) throws(PayloadDecodingError) -> Bool {
        guard let count = left else { return try !self.consumeStop() }
        left = count - 1
        return count > 0
    }

    package mutating func readHead() throws(PayloadDecodingError) -> Head {
        let start = self.offset
        let initial = UInt8(truncatingIfNeeded: try self.readUnsigned(byteCount: 1))
        let information = initial & 0x1F
        if initial >> 5 == 7 { return try self.readSimple(information, at: start) }
        if information == 31 {
            switch initial >> 5 {
            case 2: return .bytes(nil)
            case 3: return .text(nil)
            case 4: return .array(nil)
            case 5: return .map(nil)
            default: throw .malformed(at: start)
            }
        }
        let argument = try self.readArgument(information, at: start)
        switch initial >> 5 {
        case 0: return .unsigned(argument)
        case 1: return .negative(argument)
        case 2: return .bytes(try self.length(argument, at: start))
        case 3: return .text(try self.length(argument, at: start))
        case 4: return .array(try self.length(argument, at: start))
        case 5: return .map(try self.length(argument, at: start))
        default: return .tag(argument)
        }
    }

    /// Reads a number, Boolean, text or byte string, perhaps tagged; nil, with the item skipped, for anything else.
    mutating func readValue() throws(PayloadDecodingError) -> PlainValue? {
        var isTime = false
        var tags = 0
        while true {
            let start = self.offset
            switch try self.readHead() {
            case .tag(let number):
                tags += 1
                guard tags < Self.maximumDepth else { throw .tooDeep(at: start) }
                isTime = number == 1
            case .unsigned(let number):
                if isTime { return Int64(exactly: number).map(PlainValue.time) }
                return PlainValue(magnitude: number)
            case .negative(let number):
                // Below the smallest signed number only a float comes near.
                guard let whole = Int64(exactly: number).map({ -1 - $0 }) else { return .float(-1 - Double(number)) }
                return isTime ? .time(whole) : .integer(whole)
            case .float(let number):
                if isTime { return Int64(exactly: number).map(PlainValue.time) }
                return .float(number)
            case .simple(20): return .boolean(false)
            case .simple(21): return .boolean(true)
            case .simple: return nil
            case .bytes(let count): return .bytes(try self.readString(count, isText: false, at: start))
            case .text(let count):
                let bytes = try self.readString(count, isText: true, at: start)
                guard let text = UTF8Text(validating: bytes) else { throw .malformed(at: start) }
                return .text(text)
            case .array(var left):
                while try self.hasNext(&left) { try self.skip(depth: 1) }
                return nil
            case .map(var left):
                while try self.hasNext(&left) {
                    try self.skip(depth: 1)
                    try self.skip(depth: 1)
                }
                return nil
            case .stop: throw .malformed(at: start)
            }
        }
    }

    /// Reads an item of any kind and forgets it.
    mutating func skip(depth: Int = 0) throws(PayloadDecodingError) {
        let start = self.offset
        guard depth < Self.maximumDepth else { throw .tooDeep(at: start) }
        switch try self.readHead() {
        case .unsigned, .negative, .simple, .float: return
        case .tag: try self.skip(depth: depth + 1)
        case .bytes(let count): _ = try self.readString(count, isText: false, at: start)
        case .text(let count): _ = try self.readString(count, isText: true, at: start)
        case .array(var left):
            while try self.hasNext(&left) { try self.skip(depth: depth + 1) }
        case .map(var left):
            while try self.hasNext(&left) {
                try self.skip(depth: depth + 1)
                try self.skip(depth: depth + 1)
            }
        case .stop: throw .malformed(at: start)
        }
    }

    /// Reads the content of a string; an indefinite one is put together from definite chunks of its own kind.
    private mutating func readString(_ count: Int?, isText: Bool, at start: Int) throws(PayloadDecodingError) -> [UInt8]
    {
        if let count { return try self.readBytes(count) }
        var bytes: [UInt8] = []
        while try !self.consumeStop() {
            switch (try self.readHead(), isText) {
            case (.bytes(let chunk?), false), (.text(let chunk?), true): bytes += try self.readBytes(chunk)
            default: throw .malformed(at: start)
            }
        }
        return bytes
    }

    private mutating func readSimple(_ information: UInt8, at start: Int) throws(PayloadDecodingError) -> Head {
        switch information {
        case 0..<24: return .simple(information)
        case 24:
            let value = UInt8(truncatingIfNeeded: try self.readUnsigned(byteCount: 1))
            // Values that fit into the first byte must stand there.
            guard value >= 32 else { throw .malformed(at: start) }
            return .simple(value)
        case 25: return .float(HalfFloat.decode(UInt16(truncatingIfNeeded: try self.readUnsigned(byteCount: 2))))
        case 26:
            let bits = UInt32(truncatingIfNeeded: try self.readUnsigned(byteCount: 4))
            return .float(Double(Float(bitPattern: bits)))
        case 27: return .float(Double(bitPattern: try self.readUnsigned(byteCount: 8)))
        case 31: return .stop
        default: throw .malformed(at: start)
        }
    }

    private mutating func readArgument(_ information: UInt8, at start: Int) throws(PayloadDecodingError) -> UInt64 {
        switch information {
        case 0..<24: return UInt64(information)
        case 24: return try self.readUnsigned(byteCount: 1)
        case 25: return try self.readUnsigned(byteCount: 2)
        case 26: return try self.readUnsigned(byteCount: 4)
        case 27: return try self.readUnsigned(byteCount: 8)
        default: throw .malformed(at: start)
        }
    }

    // Every byte of a string and every item of a group needs at least one byte of input.
    private func length(_ argument: UInt64, at start: Int) throws(PayloadDecodingError) -> Int {
        guard argument <= UInt64(self.reader.remaining) else { throw .truncated(at: start) }
        return Int(argument)
    }

    private mutating func readUnsigned(byteCount: Int) throws(PayloadDecodingError) -> UInt64 {
        do throws(ByteReader.Exhausted) {
            return try self.reader.readUnsigned(byteCount: byteCount)
        } catch {
            throw .truncated(at: error.offset)
        }
    }

    /// Reads so many bytes: the content of a string whose head was read.
    package mutating func readBytes(_ count: Int) throws(PayloadDecodingError) -> [UInt8] {
        do throws(ByteReader.Exhausted) {
            return try self.reader.readBytes(count)
        } catch {
            throw .truncated(at: error.offset)
        }
    }
}
