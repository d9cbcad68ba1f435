internal import LwM2MModel
internal import Primitives

/// An object link as text: `3:0`.
enum ObjectLinkText {
    static func write(_ object: UInt16, _ instance: UInt16, into bytes: inout [UInt8]) {
        DecimalNumber.write(unsigned: UInt64(object), into: &bytes)
        bytes.append(Ascii.colon)
        DecimalNumber.write(unsigned: UInt64(instance), into: &bytes)
    }

    static func value(_ text: ArraySlice<UInt8>) -> ResourceValue? {
        // The examples of the specification write "no link" in hexadecimal.
        if text.elementsEqual("FFFF:FFFF".utf8) { return .objectLink(object: 65_535, instance: 65_535) }
        guard let colon = text.firstIndex(of: Ascii.colon), let object = DecimalNumber.unsigned(text[..<colon]),
            let instance = DecimalNumber.unsigned(text[(colon + 1)...]), object <= 0xFFFF, instance <= 0xFFFF
        else { return nil }
        return .objectLink(object: UInt16(object), instance: UInt16(instance))
    }
}
