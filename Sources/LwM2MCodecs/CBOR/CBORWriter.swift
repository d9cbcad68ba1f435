internal import Primitives

/// Writes CBOR in its shortest form, with definite lengths.
///
/// - Source: RFC 8949, section 4.1, preferred serialization.
package struct CBORWriter: Sendable {
    private var writer: ByteWriter

    package init(capacity: Int) {
        self.writer = ByteWriter(capacity: capacity)
    }

    package var bytes: [UInt8] { self.writer.bytes }

    mutating func write(_ number: Int64) {
        if number >= 0 {
            self.writeHead(0, UInt64(number))
        } else {
            self.writeHead(1, UInt64(bitPattern: -1 - number))
        }
    }

    package mutating func write(unsigned number: UInt64) { self.writeHead(0, number) }

    mutating func write(_ isTrue: Bool) { self.writer.write(isTrue ? 0xF5 : 0xF4) }

    package mutating func writeNull() { self.writer.write(0xF6) }

    mutating func write(_ number: Double) {
        if let half = HalfFloat.encode(number) {
            self.writer.write(0xF9)
            self.writer.write(UInt64(half), byteCount: 2)
        } else if Double(Float(number)) == number {
            self.writer.write(0xFA)
            self.writer.write(UInt64(Float(number).bitPattern), byteCount: 4)
        } else {
            self.writer.write(0xFB)
            self.writer.write(number.bitPattern, byteCount: 8)
        }
    }

    package mutating func write(bytes: [UInt8]) {
        self.writeHead(2, UInt64(bytes.count))
        self.writer.write(bytes)
    }

    /// - Parameter text: well-formed UTF-8.
    package mutating func write(text: [UInt8]) {
        self.writeHead(3, UInt64(text.count))
        self.writer.write(text)
    }

    package mutating func beginArray(_ count: Int) { self.writeHead(4, UInt64(count)) }

    mutating func beginMap(_ pairs: Int) { self.writeHead(5, UInt64(pairs)) }

    mutating func writeTag(_ number: UInt64) { self.writeHead(6, number) }

    private mutating func writeHead(_ majorType: UInt8, _ argument: UInt64) {
        let (information, count): (UInt8, Int) =
            switch argument {
            case ..<24: (UInt8(truncatingIfNeeded: argument), 0)
            case ..<0x100: (24, 1)
            case ..<0x1_0000: (25, 2)
            case ..<0x1_0000_0000: (26, 4)
            default: (27, 8)
            }
        self.writer.write(majorType << 5 | information)
        self.writer.write(argument, byteCount: count)
    }
}
