internal import LwM2MModel
internal import Primitives

/// Writes links and their attributes one after another.
struct LinkWriter: Sendable {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) {
        self.bytes.reserveCapacity(capacity)
    }

    mutating func beginLink(_ target: [UInt8], path: ObjectPath? = nil) {
        if !self.bytes.isEmpty { self.bytes.append(Ascii.comma) }
        self.bytes.append(Ascii.less)
        self.bytes += target
        if let path { DecimalNumber.write(path, into: &self.bytes) }
        self.bytes.append(Ascii.greater)
    }

    mutating func writeAttribute(_ name: StaticString, _ value: [UInt8]) {
        self.writeName(name)
        self.bytes += value
    }

    mutating func writeAttribute(_ name: StaticString, quoted value: [UInt8]) {
        self.writeName(name)
        self.bytes.append(Ascii.quote)
        self.bytes += value
        self.bytes.append(Ascii.quote)
    }

    mutating func writeAttribute(_ text: UTF8Text) {
        self.bytes.append(Ascii.semicolon)
        self.bytes += text.bytes
    }

    mutating func writeEnablerVersion(_ version: ObjectVersion) {
        self.writeName("lwm2m")
        self.writeNumbers(version)
    }

    mutating func writeVersion(_ version: ObjectVersion) {
        self.writeName("ver")
        self.writeNumbers(version)
    }

    private mutating func writeNumbers(_ version: ObjectVersion) {
        DecimalNumber.write(unsigned: UInt64(version.major), into: &self.bytes)
        self.bytes.append(Ascii.dot)
        DecimalNumber.write(unsigned: UInt64(version.minor), into: &self.bytes)
    }

    private mutating func writeName(_ name: StaticString) {
        self.bytes.append(Ascii.semicolon)
        name.withUTF8Buffer { self.bytes.append(contentsOf: $0) }
        self.bytes.append(Ascii.equals)
    }
}
