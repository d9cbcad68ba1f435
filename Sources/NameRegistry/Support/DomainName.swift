internal import Primitives

/// A domain name as it stands in messages: each label behind its length, in lower case, and the empty label of the root.
///
/// Letters, digits, hyphens and underscores only: what this package publishes needs no others.
///
/// - Source: RFC 1035, section 3.1.
struct DomainName: Hashable, Sendable {
    /// At most 255 bytes.
    let wire: [UInt8]

    /// Reads a name in its usual text; a final dot does not matter.
    ///
    /// - Returns: nil when the text is not a name, or is the root.
    init?(_ text: UTF8Text) {
        var bytes = text.bytes
        if bytes.last == Ascii.dot { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.count <= 253 else { return nil }
        var wire: [UInt8] = [0]
        wire.reserveCapacity(bytes.count + 2)
        var labelStart = 0
        for byte in bytes {
            if byte == Ascii.dot {
                guard wire[labelStart] > 0 else { return nil }
                labelStart = wire.count
                wire.append(0)
                continue
            }
            guard DomainName.isUsual(byte), wire[labelStart] < 63 else { return nil }
            wire.append(Ascii.lowercased(byte))
            wire[labelStart] += 1
        }
        guard wire[labelStart] > 0 else { return nil }
        wire.append(0)
        self.wire = wire
    }

    /// Takes a name from a message, without compression.
    ///
    /// - Returns: nil unless the bytes are one whole name of usual characters.
    init?<Bytes: RandomAccessCollection<UInt8>>(wire bytes: Bytes) where Bytes.Index == Int {
        guard bytes.count <= 255 else { return nil }
        var wire = Array(bytes)
        var index = 0
        while index < wire.count, wire[index] != 0 {
            let end = index + 1 + Int(wire[index])
            guard wire[index] <= 63, end < wire.count else { return nil }
            for position in (index + 1)..<end {
                guard DomainName.isUsual(wire[position]) else { return nil }
                wire[position] = Ascii.lowercased(wire[position])
            }
            index = end
        }
        guard index == wire.count - 1 else { return nil }
        self.wire = wire
    }

    private static func isUsual(_ byte: UInt8) -> Bool {
        Ascii.isLetter(byte) || Ascii.isDigit(byte) || byte == Ascii.hyphen || byte == Ascii.underscore
    }

    /// The name in its usual text, without a final dot.
    var text: UTF8Text {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(self.wire.count)
        var index = 0
        while self.wire[index] != 0 {
            if index > 0 { bytes.append(Ascii.dot) }
            let end = index + 1 + Int(self.wire[index])
            bytes.append(contentsOf: self.wire[(index + 1)..<end])
            index = end
        }
        // Only characters of ASCII got in.
        return UTF8Text(validating: bytes) ?? ""
    }

    /// How many bytes stand before the zone's own name; 0 for the zone itself, nil for a name outside.
    func prefixLength(in zone: DomainName) -> Int? {
        let length = self.wire.count - zone.wire.count
        guard length >= 0, self.wire[length...].elementsEqual(zone.wire) else { return nil }
        // The tail must begin at a label, not inside one.
        var index = 0
        while index < length { index += 1 + Int(self.wire[index]) }
        return index == length ? length : nil
    }

    /// The name with one more label in front.
    func prefixed(by label: StaticString) -> DomainName? {
        let label = label.withUTF8Buffer { Array($0) }
        return DomainName(wire: [UInt8(label.count)] + label + self.wire)
    }
}
