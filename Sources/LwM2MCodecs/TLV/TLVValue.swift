internal import LwM2MModel
internal import Primitives

/// A resource's value as TLV writes it.
///
/// - Source: LwM2M Core 1.2.2, appendix C.
enum TLVValue {
    static func encodedCount(_ value: ResourceValue) -> Int {
        switch value {
        case .string(let text): text.bytes.count
        case .integer(let number): self.width(number)
        case .unsignedInteger(let number): self.width(number)
        case .float(let number): self.isSingle(number) ? 4 : 8
        case .boolean: 1
        case .opaque(let bytes): bytes.count
        case .time(let time): self.width(time.secondsSinceEpoch)
        case .objectLink: 4
        }
    }

    static func write(_ value: ResourceValue, into writer: inout ByteWriter) {
        switch value {
        case .string(let text): writer.write(text.bytes)
        case .integer(let number): self.write(number, into: &writer)
        case .unsignedInteger(let number): writer.write(number, byteCount: self.width(number))
        case .float(let number):
            if self.isSingle(number) {
                writer.write(UInt64(Float(number).bitPattern), byteCount: 4)
            } else {
                writer.write(number.bitPattern, byteCount: 8)
            }
        case .boolean(let isTrue): writer.write(isTrue ? 1 : 0)
        case .opaque(let bytes): writer.write(bytes)
        case .time(let time): self.write(time.secondsSinceEpoch, into: &writer)
        case .objectLink(let object, let instance): writer.write(UInt64(object) << 16 | UInt64(instance), byteCount: 4)
        }
    }

    /// Reads all that is left as a value.
    ///
    /// - Parameter type: nil for a resource without a definition, whose value is then its bytes.
    /// - Returns: nil when the bytes are no value of the type.
    static func read(_ reader: inout ByteReader, type: ResourceType?) -> ResourceValue? {
        let count = reader.remaining
        switch type {
        case .integer: return self.readSigned(&reader).map(ResourceValue.integer)
        case .time: return self.readSigned(&reader).map { .time(WallTime(secondsSinceEpoch: $0)) }
        case .unsignedInteger: return self.readUnsigned(&reader).map(ResourceValue.unsignedInteger)
        case .float:
            guard count == 4 || count == 8, let bits = try? reader.readUnsigned(byteCount: count) else { return nil }
            return .float(count == 8 ? Double(bitPattern: bits) : Double(Float(bitPattern: UInt32(bits))))
        case .boolean:
            guard count == 1, let byte = try? reader.readByte(), byte <= 1 else { return nil }
            return .boolean(byte == 1)
        case .objectLink:
            guard count == 4, let bits = try? reader.readUnsigned(byteCount: 4) else { return nil }
            return .objectLink(object: UInt16(bits >> 16), instance: UInt16(truncatingIfNeeded: bits))
        case .string, .corelnk:
            guard let bytes = try? reader.readBytes(count) else { return nil }
            return UTF8Text(validating: bytes).map(ResourceValue.string)
        case .opaque, nil:
            return (try? reader.readBytes(count)).map(ResourceValue.opaque)
        case .some(.none):
            return nil
        }
    }

    private static func readUnsigned(_ reader: inout ByteReader) -> UInt64? {
        switch reader.remaining {
        case 1, 2, 4, 8: try? reader.readUnsigned(byteCount: reader.remaining)
        default: nil
        }
    }

    private static func readSigned(_ reader: inout ByteReader) -> Int64? {
        let unused = UInt64(8 * (8 - min(reader.remaining, 8)))
        guard let bits = self.readUnsigned(&reader) else { return nil }
        return Int64(bitPattern: bits << unused) >> Int64(unused)
    }

    private static func write(_ number: Int64, into writer: inout ByteWriter) {
        writer.write(UInt64(bitPattern: number), byteCount: self.width(number))
    }

    private static func width(_ number: Int64) -> Int {
        if Int8(exactly: number) != nil { return 1 }
        if Int16(exactly: number) != nil { return 2 }
        return Int32(exactly: number) != nil ? 4 : 8
    }

    private static func width(_ number: UInt64) -> Int {
        switch number {
        case ..<0x100: 1
        case ..<0x1_0000: 2
        case ..<0x1_0000_0000: 4
        default: 8
        }
    }

    private static func isSingle(_ number: Double) -> Bool {
        Double(Float(number)).bitPattern == number.bitPattern
    }
}
