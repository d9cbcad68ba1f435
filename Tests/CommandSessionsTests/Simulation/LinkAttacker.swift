import CommandSessions
import Primitives

/// Somebody on the link who keeps what it heard, and sends it once more or changed.
///
/// What it cannot do is make message 3 out of a message 2 that it has just heard: whoever reads both directions of a
/// session as they happen *is* the peer, and only the transport's security keeps it out.
struct LinkAttacker {
    private static let capacity = 12

    private var requests: [LinkRequest] = []
    private var messages2: [SessionMessage] = []

    mutating func hear(_ request: LinkRequest) {
        guard request.isWrite else { return }
        if self.requests.count == Self.capacity { self.requests.removeFirst() }
        self.requests.append(request)
    }

    mutating func hear(_ message2: SessionMessage) {
        if self.messages2.count == Self.capacity { self.messages2.removeFirst() }
        self.messages2.append(message2)
    }

    /// A request for the device: replayed, changed or reflected; nil when it would not even be read.
    func request(_ random: inout SeededGenerator) -> LinkRequest? {
        guard let newest = self.requests.last else { return nil }
        let heard = random.chance(0.5) ? newest : random.pick(self.requests)
        guard let message = heard.message else { return heard }
        switch random.below(5) {
        case 0: return heard
        case 1: return self.write(self.changed(message, &random))
        case 2: return self.write(self.swapped(message, &random))
        case 3:
            // What one resource was sent goes to the other; of message 2 as it is.
            let reflected = self.messages2.isEmpty || random.chance(0.5) ? message : random.pick(self.messages2)
            return random.chance(0.5) ? .writeMessage1(reflected) : .writeMessage3(reflected)
        default:
            var bytes = message.encoded
            bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
            return (try? SessionMessage(decoding: bytes)).map { self.write($0) }
        }
    }

    /// What the gateway reads in place of message 2: an older one, one of its own messages, or one with a change.
    func message2(insteadOf bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8]? {
        switch random.below(3) {
        case 0: self.messages2.isEmpty ? nil : random.pick(self.messages2).encoded
        case 1: self.requests.isEmpty ? nil : random.pick(self.requests).message?.encoded
        default: (try? SessionMessage(decoding: bytes)).map { self.changed($0, &random).encoded }
        }
    }

    private func write(_ message: SessionMessage) -> LinkRequest {
        message.number == 1 ? .writeMessage1(message) : .writeMessage3(message)
    }

    private func changed(_ message: SessionMessage, _ random: inout SeededGenerator) -> SessionMessage {
        var payload = message.command.payload
        payload.append(UInt8(random.below(256)))
        let command = SessionCommand(message.command.operation, message.command.path, payload: payload)
        return SessionMessage(
            number: message.number,
            command: command ?? message.command,
            gsid: message.gsid,
            dsid: message.dsid
        )
    }

    /// One identifier of another request in place of this one's.
    private func swapped(_ message: SessionMessage, _ random: inout SeededGenerator) -> SessionMessage {
        guard let other = random.pick(self.requests).message else { return message }
        let takesGSID = random.chance(0.5)
        return SessionMessage(
            number: message.number,
            command: message.command,
            gsid: takesGSID ? other.gsid : message.gsid,
            dsid: takesGSID ? message.dsid : other.dsid
        )
    }
}
