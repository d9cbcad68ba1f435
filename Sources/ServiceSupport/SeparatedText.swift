/// Comma-separated values, one record a line.
///
/// A field with a comma stands in double quotes, a double quote in it is doubled; spaces around a field do not count.
/// - Source: RFC 4180, section 2, without line breaks inside fields.
public enum SeparatedText {
    /// Splits a line at its commas.
    ///
    /// - Parameter place: names the line when something is wrong with it.
    public static func fields(_ line: ArraySlice<UInt8>, _ place: () -> String) throws(ServiceError) -> [String] {
        let quote = UInt8(ascii: "\"")
        let comma = UInt8(ascii: ",")
        var fields: [String] = []
        var rest = line
        while true {
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
            var field: [UInt8] = []
            if rest.first == quote {
                rest = rest.dropFirst()
                while let byte = rest.popFirst() {
                    if byte != quote {
                        field.append(byte)
                    } else if rest.first == quote {
                        field.append(quote)
                        rest = rest.dropFirst()
                    } else {
                        rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
                        guard rest.isEmpty || rest.first == comma else {
                            throw ServiceError("\(place()): something stands behind a quoted field", hint: "a comma")
                        }
                        break
                    }
                }
            } else {
                let end = rest.firstIndex(of: comma) ?? rest.endIndex
                field = Array(Self.trimmed(rest[..<end]))
                rest = rest[end...]
            }
            fields.append(String(decoding: field, as: UTF8.self))
            guard rest.popFirst() != nil else { return fields }
        }
    }

    /// The text without white space at its ends.
    public static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text = text.dropLast() }
        return text
    }
}
