import CLibCoAP
public import CoAPMessages
import Primitives

#if canImport(Glibc)
    import Glibc
#endif

/// Notifications of ours.
extension CoAPTransport {
    /// Sends a notification, which already carries Observe.
    ///
    /// - Parameters:
    ///   - response: a body that does not fit into one message goes in blocks, which the peer asks for.
    ///   - token: the token of the request that began the observation.
    ///   - isConfirmable: whether ``TransportEvent/notificationAcknowledged(_:tag:notificationTag:)`` or a failure
    ///     follows; without, only a refusal does.
    ///   - tag: given back with these events.
    /// - Throws: ``TransportError``: `sessionUnknown`, `tooLarge`, `outOfResources`.
    public func notify(
        _ response: CoAPResponse,
        token: CoAPToken,
        on session: TransportSession,
        isConfirmable: Bool,
        tag: UInt32
    ) throws(TransportError) {
        LibraryLock.acquire()
        defer { LibraryLock.release() }
        guard let (slot, pointer) = self.openSlot(of: session) else { throw .sessionUnknown }
        guard response.payload.count <= self.configuration.maximumBodySize else { throw .tooLarge }
        let key = self.sessions[slot].rare?.observed.first { $0.token == token }?.key
        let part = self.firstPart(of: response, key: key, wanted: nil, slot)
        let message = OutgoingMessage(code: part.code, token: token, options: part.options, payload: part.payload)
        if isConfirmable {
            guard self.sendConfirmable(message, .notification(tag, token), on: slot) else { throw .outOfResources }
            return
        }
        guard let messageID = self.transmit(message, type: COAP_MESSAGE_NON, on: pointer) else {
            throw .outOfResources
        }
        self.context(of: slot).mayBeRefused = true
        let rare = self.rareState(slot)
        if rare.unconfirmed.count >= RareState.unconfirmedLimit { rare.unconfirmed.removeFirst() }
        rare.unconfirmed.append((messageID, tag, token))
    }

    func rememberObserved(_ token: CoAPToken, _ key: RequestKey, _ slot: Int) {
        let rare = self.rareState(slot)
        rare.observed.removeAll { $0.token == token }
        if rare.observed.count >= RareState.observedLimit { rare.observed.removeFirst() }
        rare.observed.append((token, key))
    }

    func forgetObserved(_ token: CoAPToken, _ slot: Int) {
        self.sessions[slot].rare?.observed.removeAll { $0.token == token }
        self.sessions[slot].rare?.unconfirmed.removeAll { $0.token == token }
    }

    /// Looks whether a Reset refuses a notification that wanted no acknowledgement.
    ///
    /// The library names only its message id. The session is the one whose own socket the event came from: the socket
    /// lies inside the library's session.
    func takeResets(in context: TransportContext) {
        let resets = CoAPLibrary.resets
        CoAPLibrary.resets.removeAll(keepingCapacity: true)
        guard let socket = self.currentSocket else { return }
        for slot in context.slots.map({ Int($0) }) {
            guard let pointer = self.sessions[slot].pointer, let rare = self.sessions[slot].rare else { continue }
            let start = UnsafeMutableRawPointer(pointer)
            guard socket >= start, socket < start + malloc_usable_size(start) else { continue }
            for messageID in resets {
                guard let refused = rare.unconfirmed.first(where: { $0.messageID == messageID }) else { continue }
                self.failed(.notification(refused.notificationTag, refused.token), .reset, slot)
            }
            return
        }
    }
}
