internal import BalancerEngine
internal import CLDNS
internal import Primitives

/// One request at the server of a zone, from connecting to the verified end of its answer.
struct SignedExchange {
    let zone: SignedZone
    let stopBell: Int32
    /// What was exchanged.
    private(set) var traffic = DynamicUpdateRegistry.Counters()

    init(zone: SignedZone, stopBell: Int32) {
        self.zone = zone
        self.stopBell = stopBell
    }

    mutating func perform(_ request: RegistryRequest) -> RegistryAnswer {
        do throws(RegistryFailure) {
            switch request {
            case .apply(let update):
                try self.apply(update)
                return .success(.applied)
            case .readEpoch: return .success(.epoch(try self.readEpoch()))
            case .readNames: return .success(.names(try self.readNames()))
            }
        } catch {
            return .failure(error)
        }
    }

    private mutating func apply(_ update: NameUpdate) throws(RegistryFailure) {
        let request = try UpdateMessage.make(update, zone: self.zone)
        let stream = try self.connect()
        _ = try self.exchange(request, on: stream)
    }

    private mutating func readEpoch() throws(RegistryFailure) -> RegistryEpoch? {
        guard let request = MessageHandle(self.zone.epochName, type: LDNS_RR_TYPE_TXT, opcode: LDNS_PACKET_QUERY) else {
            throw .local
        }
        let stream = try self.connect()
        let answer: MessageHandle
        do throws(RegistryFailure) {
            answer = try self.exchange(request, on: stream)
        } catch .refused(SignedExchange.nonexistentName) {
            return nil
        }
        guard answer.isAuthoritative else { throw .malformedAnswer }
        var texts: [[UInt8]] = []
        answer.forEachAnswer { _, type, data in
            // A character string stands behind its length.
            if type == LDNS_RR_TYPE_TXT { texts.append(data.count == 1 ? Array(data[0].dropFirst()) : []) }
        }
        guard let text = texts.first else { return nil }
        guard texts.count == 1, let epoch = EpochText.parse(text) else { throw .malformedAnswer }
        return epoch
    }

    private mutating func readNames() throws(RegistryFailure) -> [NameRecord] {
        guard let request = MessageHandle(self.zone.name, type: LDNS_RR_TYPE_AXFR, opcode: LDNS_PACKET_QUERY) else {
            throw .local
        }
        let end = MessageStream.now.advanced(by: self.zone.timeout * 12)
        let stream = try self.connect()
        var transfer = ZoneTransfer(zone: self.zone)
        var last = try self.exchange(request, on: stream)
        try transfer.take(last)
        while !transfer.isComplete {
            let deadline = min(MessageStream.now.advanced(by: self.zone.timeout), end)
            let (message, wire) = try self.receive(on: stream, until: deadline)
            guard message.identifier == request.identifier,
                message.isSigned(for: self.zone, wire: wire, after: last, isFirst: false)
            else { throw .malformedAnswer }
            guard message.code == 0 else { throw .refused(message.code) }
            guard self.traffic.bytesReceived < 1 << 30 else { throw .local }
            try transfer.take(message)
            last = message
        }
        return transfer.names
    }

    private func connect() throws(RegistryFailure) -> MessageStream {
        let deadline = MessageStream.now.advanced(by: self.zone.timeout)
        return try MessageStream(to: self.zone.server, stopBell: self.stopBell, until: deadline)
    }

    /// Signs and sends a request, and returns its answer: a verified one without an error code.
    private mutating func exchange(
        _ request: MessageHandle,
        on stream: borrowing MessageStream
    ) throws(RegistryFailure) -> MessageHandle {
        guard request.sign(for: self.zone), let wire = request.withBytes({ Array($0) }) else { throw .local }
        let deadline = MessageStream.now.advanced(by: self.zone.timeout)
        try stream.send(wire, until: deadline)
        self.traffic.messagesSent += 1
        self.traffic.bytesSent += UInt64(wire.count)
        let (answer, answerWire) = try self.receive(on: stream, until: deadline)
        guard answer.isResponse, answer.identifier == request.identifier else { throw .malformedAnswer }
        let isSigned = answer.isSigned(for: self.zone, wire: answerWire, after: request, isFirst: true)
        switch (answer.code, isSigned) {
        case (0, true): return answer
        case (0, false): throw .malformedAnswer
        // YXRRSET and NXRRSET: the prerequisite, which is the epoch, does not hold (RFC 2136, section 2.2).
        case (7, true), (8, true): throw .epochMismatch
        case (7, false), (8, false), (SignedExchange.nonexistentName, false): throw .malformedAnswer
        // So does NXDOMAIN say something of the zone: that nobody has written it.
        // A server that does not take the signature cannot sign its answer: the refusal is believed as it is.
        case (let code, _):
            throw .refused(answer.signatureError == 0 ? code : UInt8(truncatingIfNeeded: answer.signatureError))
        }
    }

    private mutating func receive(
        on stream: borrowing MessageStream,
        until deadline: MonotonicTime
    ) throws(RegistryFailure) -> (MessageHandle, [UInt8]) {
        let wire = try stream.receive(until: deadline)
        self.traffic.bytesReceived += UInt64(wire.count)
        guard let message = MessageHandle(decoding: wire) else { throw .malformedAnswer }
        return (message, wire)
    }

    /// FORMERR.
    static let formatError: UInt8 = 1
    /// NXDOMAIN.
    private static let nonexistentName: UInt8 = 3
}
