/// Reads big-endian numbers and runs of bytes from an array, never past its end.
public struct ByteReader: Sendable {
    /// The input ended before the field did.
    public struct Exhausted: Error, Equatable, Sendable {
        /// Where the field began: bytes from the start of the input.
        public let offset: Int

        /// Creates the error for a field that began at the offset.
        public init(offset: Int) {
            self.offset = offset
        }
    }

    private let bytes: [UInt8]
    /// Bytes read so far.
    public private(set) var offset: Int
    private let end: Int

    /// Creates a reader over all bytes.
    public init(_ bytes: [UInt8]) {
        self.init(bytes, range: 0..<bytes.count)
    }

    /// Creates a reader over a part of the bytes, which are shared, not copied.
    public init(_ bytes: [UInt8], range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside the bytes")
        self.bytes = bytes
        self.offset = range.lowerBound
        self.end = range.upperBound
    }

    /// How many bytes are left.
    public var remaining: Int { self.end - self.offset }

    /// Whether nothing is left.
    public var isAtEnd: Bool { self.offset == self.end }

    /// The next byte, without consuming it; nil at the end.
    public var peeked: UInt8? { self.isAtEnd ? nil : self.bytes[self.offset] }

    /// Reads one byte.
    public mutating func readByte() throws(Exhausted) -> UInt8 {
        guard !self.isAtEnd else { throw Exhausted(offset: self.offset) }
        defer { self.offset += 1 }
        return self.bytes[self.offset]
    }

    /// Reads an unsigned number of 0 to 8 bytes, most significant first.
    public mutating func readUnsigned(byteCount: Int) throws(Exhausted) -> UInt64 {
        precondition((0...8).contains(byteCount), "a number has 0 to 8 bytes")
        guard byteCount <= self.remaining else { throw Exhausted(offset: self.offset) }
        var value: UInt64 = 0
        for _ in 0..<byteCount {
            value = value << 8 | UInt64(self.bytes[self.offset])
            self.offset += 1
        }
        return value
    }

    /// Reads a run of bytes; a count above what is left, or below zero, throws.
    public mutating func readBytes(_ count: Int) throws(Exhausted) -> [UInt8] {
        guard count >= 0, count <= self.remaining else { throw Exhausted(offset: self.offset) }
        defer { self.offset += count }
        return Array(self.bytes[self.offset..<self.offset + count])
    }

    /// Consumes a run of bytes and returns a reader of it that shares the storage.
    public mutating func readSubreader(_ count: Int) throws(Exhausted) -> ByteReader {
        guard count >= 0, count <= self.remaining else { throw Exhausted(offset: self.offset) }
        defer { self.offset += count }
        return ByteReader(self.bytes, range: self.offset..<self.offset + count)
    }
}
