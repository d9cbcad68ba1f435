/// A question that a datagram or a connection brought.
///
/// Nothing in it is followed: a question's own name has nothing to point back to, and the names of further records
/// are only skipped, so there are no compression loops.
///
/// - Source: RFC 1035, section 4.1; RFC 6891, section 6.1.
struct DNSQuery {
    /// Why there is no question.
    enum Failure: Error, Equatable {
        /// Too short for a header, or itself an answer: nothing may be said to it.
        case unanswerable
        case malformed
        case notImplemented
    }

    /// The bytes before the question.
    static let headerLength = 12
    /// The most records behind the question; nobody sends more than two.
    private static let maximumRecords = 8

    /// The name with its final zero, in lower case.
    let name: [UInt8]
    let type: UInt16
    let recordClass: UInt16
    /// Where the question ends in the message.
    let questionEnd: Int
    /// The version of EDNS that it was asked with; nil without EDNS.
    let extensionVersion: UInt8?

    init(_ message: [UInt8]) throws(Failure) {
        guard message.count >= DNSQuery.headerLength, message[2] & 0x80 == 0 else { throw .unanswerable }
        guard message[2] & 0x78 == 0 else { throw .notImplemented }
        let records = Int(DNSQuery.number(message, at: 10))
        // One question, and neither answers nor authorities with it.
        guard Array(message[4..<10]) == [0, 1, 0, 0, 0, 0], records <= DNSQuery.maximumRecords,
            let nameEnd = DNSQuery.plainName(message, from: DNSQuery.headerLength), nameEnd + 4 <= message.count
        else { throw .malformed }
        // A length is at most 63 and no letter, so the whole name is put in lower case at once.
        self.name = message[DNSQuery.headerLength..<nameEnd].map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
        self.type = DNSQuery.number(message, at: nameEnd)
        self.recordClass = DNSQuery.number(message, at: nameEnd + 2)
        self.questionEnd = nameEnd + 4
        self.extensionVersion = try DNSQuery.readExtension(message, from: nameEnd + 4, records: records)
    }

    /// The end of a name without compression; nil when it is not one.
    private static func plainName(_ message: [UInt8], from start: Int) -> Int? {
        var index = start
        while index < message.count, message[index] != 0 {
            guard message[index] <= 63 else { return nil }
            index += 1 + Int(message[index])
        }
        return index < message.count && index + 1 - start <= 255 ? index + 1 : nil
    }

    /// The end of a name that may end in a pointer, which is not followed.
    private static func anyName(_ message: [UInt8], from start: Int) -> Int? {
        var index = start
        while index < message.count, message[index] != 0 {
            if message[index] >= 0xC0 { return index + 2 <= message.count ? index + 2 : nil }
            guard message[index] <= 63 else { return nil }
            index += 1 + Int(message[index])
        }
        return index < message.count && index + 1 - start <= 255 ? index + 1 : nil
    }

    /// Walks over the records behind the question, which must end where the message does.
    private static func readExtension(
        _ message: [UInt8],
        from start: Int,
        records: Int
    ) throws(Failure) -> UInt8? {
        var found: UInt8?
        var index = start
        for _ in 0..<records {
            guard let nameEnd = self.anyName(message, from: index), nameEnd + 10 <= message.count else {
                throw .malformed
            }
            let end = nameEnd + 10 + Int(self.number(message, at: nameEnd + 8))
            guard end <= message.count else { throw .malformed }
            if self.number(message, at: nameEnd) == RecordType.opt {
                // One at most, and it belongs to the root.
                guard found == nil, nameEnd == index + 1 else { throw .malformed }
                found = message[nameEnd + 5]
            }
            index = end
        }
        guard index == message.count else { throw .malformed }
        return found
    }

    private static func number(_ message: [UInt8], at index: Int) -> UInt16 {
        UInt16(message[index]) << 8 | UInt16(message[index + 1])
    }
}
