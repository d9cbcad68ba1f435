import ServiceSupport

/// A request on the control socket that the service's owner answers, and the way back to who asked.
///
///            send(… done), refuse(…)
///     waiting ───────────────────────▶ done
///        │         the client goes
///        └───────────────────────────▶ done, and onGone is called
public final class ControlAsker {
    /// What was asked.
    public let request: ControlRequest
    /// Whether there is still somebody to send lines to.
    public private(set) var isWaiting = true
    /// Called once when the client goes before it was sent a last line; it may go while it is sent one.
    public var onGone: () -> Void = {}

    let client: LineSocket.ClientID
    private let number: UInt64
    private weak var door: ControlDoor?

    init(_ request: ControlRequest, number: UInt64, client: LineSocket.ClientID, door: ControlDoor) {
        self.request = request
        self.number = number
        self.client = client
        self.door = door
    }

    /// Sends a line about the request, whose number it gets; one that is done is the last.
    public func send(_ reply: ControlReply) {
        guard self.isWaiting else { return }
        var reply = reply
        reply.id = self.request.id
        if reply.done {
            self.end(isGone: false)
            self.door?.release(self.number)
        }
        self.door?.send(reply, to: self.client)
    }

    /// Says why the request is not done, as the last line.
    public func refuse(_ refusal: ControlRefusal) {
        self.send(ControlReply(id: self.request.id, refusal))
    }

    /// Takes note that no line follows.
    func end(isGone: Bool) {
        self.isWaiting = false
        let onGone = self.onGone
        // What it holds may hold the asker.
        self.onGone = {}
        if isGone { onGone() }
    }
}
