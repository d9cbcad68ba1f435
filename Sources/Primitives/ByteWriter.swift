/// Appends big-endian numbers and runs of bytes to an array.
public struct ByteWriter: Sendable {
    /// What was written so far.
    public private(set) var bytes: [UInt8]

    /// Creates a writer without bytes.
    ///
    /// - Parameter capacity: how many bytes to make room for at once.
    public init(capacity: Int = 0) {
        self.bytes = []
        self.bytes.reserveCapacity(capacity)
    }

    /// Appends one byte.
    public mutating func write(_ byte: UInt8) {
        self.bytes.append(byte)
    }

    /// Appends a run of bytes.
    public mutating func write(_ bytes: [UInt8]) {
        self.bytes.append(contentsOf: bytes)
    }

    /// Appends the low bytes of a number, most significant first.
    public mutating func write(_ value: UInt64, byteCount: Int) {
        precondition((0...8).contains(byteCount), "a number has 0 to 8 bytes")
        for index in stride(from: byteCount - 1, through: 0, by: -1) {
            self.bytes.append(UInt8(truncatingIfNeeded: value >> (UInt64(index) * 8)))
        }
    }
}
