import Primitives

/// Appends to memory that somebody else lends; names are derived a million at a time, without an array for each step.
struct ByteSink {
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    /// Bytes written so far.
    private(set) var count = 0

    /// Creates a sink over memory that must be large enough for all that is appended.
    init(_ buffer: UnsafeMutableBufferPointer<UInt8>) {
        self.buffer = buffer
    }

    /// What was written.
    var written: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: self.buffer[..<self.count]) }

    mutating func append(_ byte: UInt8) {
        self.buffer[self.count] = byte
        self.count += 1
    }

    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        precondition(bytes.count <= self.buffer.count - self.count, "the memory lent is too small")
        guard let source = bytes.baseAddress, let target = self.buffer.baseAddress else { return }
        (target + self.count).update(from: source, count: bytes.count)
        self.count += bytes.count
    }

    mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { self.append($0) }
    }

    /// Writes a length of two bytes, most significant first, over what stands at an offset.
    mutating func overwrite(at offset: Int, length: Int) {
        self.buffer[offset] = UInt8(truncatingIfNeeded: length >> 8)
        self.buffer[offset + 1] = UInt8(truncatingIfNeeded: length)
    }

    /// Appends decimal digits, behind `-` when the number is negative; at most 20 bytes.
    mutating func append(decimal number: Int64) {
        if number < 0 { self.append(Ascii.hyphen) }
        let start = self.count
        var rest = number.magnitude
        repeat {
            self.append(Ascii.zero &+ UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        self.buffer[start..<self.count].reverse()
    }

    /// Appends eight bytes, most significant first.
    mutating func append(bigEndian number: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            self.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}
