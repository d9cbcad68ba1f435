internal import Primitives

/// The type, identifier and length in front of every TLV value.
///
///      7 6   5          4 3              2 1 0
///     kind | id 16 bit | length of length | length, when the field before is 0
///
/// - Source: LwM2M Core 1.2.2, clause 7.5.5, the table of types.
struct TLVHeader: Sendable {
    /// What the identifier names; the numbers are those on the wire.
    enum Kind: UInt8, Sendable {
        case objectInstance = 0b00
        case resourceInstance = 0b01
        case multipleResource = 0b10
        case resource = 0b11
    }

    let kind: Kind
    let id: UInt16
    let length: Int

    init(_ kind: Kind, _ id: UInt16, length: Int) {
        self.kind = kind
        self.id = id
        self.length = length
    }

    init(reading reader: inout ByteReader) throws(ByteReader.Exhausted) {
        let type = try reader.readByte()
        // Two bits have four values, so there is always a kind.
        self.kind = Kind(rawValue: type >> 6) ?? .resource
        self.id = UInt16(truncatingIfNeeded: try reader.readUnsigned(byteCount: type & 0x20 == 0 ? 1 : 2))
        let lengthBytes = Int(type >> 3 & 0x03)
        self.length = lengthBytes == 0 ? Int(type & 0x07) : Int(try reader.readUnsigned(byteCount: lengthBytes))
    }

    /// How many bytes ``write(into:)`` appends.
    var encodedCount: Int { 1 + (self.id > 0xFF ? 2 : 1) + self.lengthByteCount }

    private var lengthByteCount: Int {
        switch self.length {
        case ..<8: 0
        case ..<0x100: 1
        case ..<0x1_0000: 2
        default: 3
        }
    }

    func write(into writer: inout ByteWriter) {
        let inline = self.lengthByteCount == 0 ? UInt8(truncatingIfNeeded: self.length) : 0
        writer.write(
            self.kind.rawValue << 6 | (self.id > 0xFF ? 0x20 : 0) | UInt8(truncatingIfNeeded: self.lengthByteCount) << 3
                | inline
        )
        writer.write(UInt64(self.id), byteCount: self.id > 0xFF ? 2 : 1)
        writer.write(UInt64(self.length), byteCount: self.lengthByteCount)
    }
}
