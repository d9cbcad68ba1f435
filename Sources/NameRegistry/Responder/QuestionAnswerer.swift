internal import Primitives

/// Turns the bytes of a question into the bytes of its answer: no socket, no clock.
///
/// A name has one record, so no answer is longer than 400 bytes, and none is cut for its size.
///
/// - Source: RFC 1034, section 4.3.2; RFC 2308 (what does not exist); RFC 6891 (EDNS); RFC 8482 (no ANY).
struct QuestionAnswerer {
    /// How large a question may be, as answers with EDNS say: no packet of that size is fragmented.
    private static let payloadSize = 1232

    var zone: PublishedZone
    let negativeTimeToLive: UInt32
    /// The address of the name server; nil when it is not to be told.
    let nameServerAddress: IPAddress?
    var counters = EmbeddedResponder.Counters()

    /// The records of an answer, as they stand behind the question.
    private struct Records {
        var code = ResponseCode.noError
        var isAuthoritative = true
        var answers: [[UInt8]] = []
        var authorities: [[UInt8]] = []
    }

    /// Answers a question; nil when there is nothing to say.
    mutating func answer(_ message: [UInt8], byTCP: Bool) -> [UInt8]? {
        if byTCP { self.counters.questionsByTCP += 1 }
        do throws(DNSQuery.Failure) {
            let query = try DNSQuery(message)
            return QuestionAnswerer.encode(self.records(for: query), query, message, isTruncated: false)
        } catch {
            return self.refuse(message, error)
        }
    }

    /// Says to a question that it should come again by TCP, in no more bytes than it has, but for EDNS.
    func deferral(of message: [UInt8]) -> [UInt8]? {
        guard let query = try? DNSQuery(message) else { return nil }
        return QuestionAnswerer.encode(Records(isAuthoritative: false), query, message, isTruncated: true)
    }

    private mutating func refuse(_ message: [UInt8], _ failure: DNSQuery.Failure) -> [UInt8]? {
        let code: UInt8
        switch failure {
        case .unanswerable:
            self.counters.malformed += 1
            return nil
        case .malformed:
            self.counters.malformed += 1
            code = ResponseCode.formatError
        case .notImplemented:
            self.counters.notImplemented += 1
            code = ResponseCode.notImplemented
        }
        return [message[0], message[1], 0x80 | message[2] & 0x79, code] + [UInt8](repeating: 0, count: 8)
    }

    private mutating func records(for query: DNSQuery) -> Records {
        if let version = query.extensionVersion, version != 0 {
            self.counters.notImplemented += 1
            return Records(code: ResponseCode.badVersion, isAuthoritative: false)
        }
        let zone = self.zone.name.wire
        guard query.recordClass == 1, !RecordType.questions.contains(query.type),
            let length = QuestionAnswerer.prefixLength(of: query.name, in: zone)
        else {
            self.counters.refused += 1
            return Records(code: ResponseCode.refused, isAuthoritative: false)
        }
        // The zone's own name stands in the question, where every record can point to.
        let zonePointer = QuestionAnswerer.pointer(to: DNSQuery.headerLength + length)
        let content = self.zone.content(at: query.name[..<length])
        if case .nothing = content {
            self.counters.nonexistent += 1
            return Records(
                code: ResponseCode.nonexistentName,
                authorities: [self.startOfAuthority(zonePointer, zonePointer)]
            )
        }
        if let answer = self.record(of: content, type: query.type, zonePointer) {
            self.counters.answered += 1
            return Records(answers: [answer])
        }
        self.counters.noData += 1
        return Records(authorities: [self.startOfAuthority(zonePointer, zonePointer)])
    }

    private func record(of content: PublishedZone.Content, type: UInt16, _ zonePointer: [UInt8]) -> [UInt8]? {
        let owner = QuestionAnswerer.pointer(to: DNSQuery.headerLength)
        switch content {
        case .address(let assignment):
            return self.addressRecord(owner, assignment.address, type, assignment.timeToLive)
        case .nameServer:
            return self.nameServerAddress.flatMap { self.addressRecord(owner, $0, type, self.negativeTimeToLive) }
        case .epoch(let text) where type == RecordType.txt:
            return self.record(owner, type, 0, [UInt8(truncatingIfNeeded: text.count)] + text)
        case .apex where type == RecordType.soa:
            return self.startOfAuthority(owner, zonePointer)
        case .apex where type == RecordType.ns:
            return self.record(owner, type, self.negativeTimeToLive, PublishedZone.nameServerLabel + zonePointer)
        case .apex, .emptyNonTerminal, .epoch, .nothing:
            return nil
        }
    }

    private func addressRecord(
        _ owner: [UInt8],
        _ address: IPAddress,
        _ type: UInt16,
        _ timeToLive: UInt32
    ) -> [UInt8]? {
        guard type == (address.isIPv6 ? RecordType.aaaa : RecordType.a) else { return nil }
        return self.record(owner, type, timeToLive, address.bytes)
    }

    /// The SOA record; how long a missing name may be kept is the lesser of its TTL and its last field.
    ///
    /// - Source: RFC 2308, sections 3 and 4.
    private func startOfAuthority(_ owner: [UInt8], _ zonePointer: [UInt8]) -> [UInt8] {
        var data = ByteWriter()
        data.write(PublishedZone.nameServerLabel + zonePointer)
        data.write([10] + Array("hostmaster".utf8) + zonePointer)
        // Serial, refresh, retry and expire; nobody copies this zone.
        for value in [self.zone.serial, 3600, 600, 86_400, self.negativeTimeToLive] {
            data.write(UInt64(value), byteCount: 4)
        }
        return self.record(owner, RecordType.soa, self.negativeTimeToLive, data.bytes)
    }

    private func record(_ owner: [UInt8], _ type: UInt16, _ timeToLive: UInt32, _ data: [UInt8]) -> [UInt8] {
        var record = ByteWriter(capacity: owner.count + 10 + data.count)
        record.write(owner)
        record.write(UInt64(type), byteCount: 2)
        record.write(1, byteCount: 2)
        // A TTL has 31 bits (RFC 2181, section 8).
        record.write(UInt64(min(timeToLive, 0x7FFF_FFFF)), byteCount: 4)
        record.write(UInt64(data.count), byteCount: 2)
        record.write(data)
        return record.bytes
    }

    private static func pointer(to offset: Int) -> [UInt8] {
        [0xC0 | UInt8(truncatingIfNeeded: offset >> 8), UInt8(truncatingIfNeeded: offset)]
    }

    /// How many bytes of a name stand before the zone's; nil for a name outside.
    private static func prefixLength(of name: [UInt8], in zone: [UInt8]) -> Int? {
        let length = name.count - zone.count
        guard length >= 0, name[length...].elementsEqual(zone) else { return nil }
        var index = 0
        while index < length { index += 1 + Int(name[index]) }
        return index == length ? length : nil
    }

    private static func encode(_ records: Records, _ query: DNSQuery, _ message: [UInt8], isTruncated: Bool) -> [UInt8]
    {
        var answer = ByteWriter(capacity: 256)
        answer.write([message[0], message[1]])
        // An answer; authoritative, cut; recursion as it was asked for, but never available.
        answer.write(0x80 | (records.isAuthoritative ? 0x04 : 0) | (isTruncated ? 0x02 : 0) | message[2] & 0x01)
        answer.write(records.code & 0x0F)
        answer.write(1, byteCount: 2)
        answer.write(UInt64(records.answers.count), byteCount: 2)
        answer.write(UInt64(records.authorities.count), byteCount: 2)
        answer.write(query.extensionVersion == nil ? 0 : 1, byteCount: 2)
        // The question comes back byte by byte, in the case in which it was asked.
        answer.write(Array(message[DNSQuery.headerLength..<query.questionEnd]))
        for record in records.answers + records.authorities { answer.write(record) }
        if query.extensionVersion != nil {
            answer.write(0)
            answer.write(UInt64(RecordType.opt), byteCount: 2)
            answer.write(UInt64(QuestionAnswerer.payloadSize), byteCount: 2)
            answer.write([records.code >> 4, 0, 0, 0, 0, 0])
        }
        return answer.bytes
    }
}
