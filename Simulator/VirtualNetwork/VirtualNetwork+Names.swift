import ClientEngine
import CoAPMessages
import Primitives

// From a host name to the peer that listens there. A resolver stands near every device: it asks the zone, which takes
// a round trip, and keeps what it was told as long as it may.
extension VirtualNetwork {
    private static let keptNamesPerPeer = 8

    func open(_ id: SessionID, _ uri: CoAPURI, _ credentials: SessionCredentials, by peer: Int) {
        guard let slot = self.slots[peer] else { return }
        if !self.listeners.isEmpty, let server = self.listeners[UTF8Text("\(uri.host.string):\(uri.port)")] {
            return self.shakeHands(id, with: server, credentials, by: peer)
        }
        slot.unopened.append(id)
        let isKept = slot.keptNames.contains { $0.name == uri.host && $0.until > self.now }
        let delay: Duration = isKept ? .zero : self.conditions.delay.lowerBound * 2
        self.queue.add(.resolved(peer: peer, id, uri, credentials), at: self.now.advanced(by: delay))
    }

    func resolved(_ id: SessionID, _ uri: CoAPURI, _ credentials: SessionCredentials, by peer: Int) {
        guard let slot = self.slots[peer], let index = slot.unopened.firstIndex(of: id) else { return }
        guard let address = self.address(of: uri.host, for: slot) else {
            return self.notOpened(id, .nameNotFound, by: peer)
        }
        guard let server = self.addresses[address] else {
            let answer = self.now.advanced(by: self.conditions.delay.lowerBound * 2)
            return self.queue.add(.unreachable(peer: peer, id, .unreachable), at: answer)
        }
        slot.unopened.remove(at: index)
        self.shakeHands(id, with: server, credentials, by: peer)
    }

    /// Tells a peer that a session will not be opened, unless it has given that up itself.
    func notOpened(_ id: SessionID, _ failure: SessionFailure, by peer: Int) {
        guard let slot = self.slots[peer], let index = slot.unopened.firstIndex(of: id) else { return }
        slot.unopened.remove(at: index)
        self.tell(peer, .sessionClosed(id, failure))
    }

    private func address(of name: UTF8Text, for slot: PeerSlot) -> IPAddress? {
        if let kept = slot.keptNames.first(where: { $0.name == name && $0.until > self.now }) { return kept.address }
        let answer = self.names.answer(name)
        slot.keptNames.removeAll { $0.name == name || $0.until <= self.now }
        if slot.keptNames.count == Self.keptNamesPerPeer { slot.keptNames.removeFirst() }
        slot.keptNames.append(
            PeerSlot.KeptName(
                name: name,
                address: answer.address,
                until: self.now.advanced(by: .seconds(Int64(answer.timeToLive)))
            )
        )
        return answer.address
    }
}
