import BootstrapEngine
import CoAPMessages
import CoAPTransport
import Primitives
import ServiceSupport

/// The connection of an instance to its balancer: ``BalancerConversation`` on the service's own transport.
final class BalancerConnection {
    private let link: BalancerLink
    private let transport: CoAPTransport
    private let loop: EventLoop
    private var conversation: BalancerConversation
    private var session: TransportSession?
    private var isPerforming = false

    /// How many bootstraps are in progress.
    var inProgress: () -> Int = { 0 }
    /// Called with the answer to a question.
    var onPinAnswer: (ProcedureID, _ isPinned: Bool) -> Void = { _, _ in }
    /// Called when the balancer will send nobody here any more.
    var onLeft: () -> Void = {}
    /// Told how instance and balancer get on.
    var onReport: (BalancerLinkReport) -> Void = { _ in }

    init(link: BalancerLink, transport: CoAPTransport, loop: EventLoop) {
        self.link = link
        self.transport = transport
        self.loop = loop
        self.conversation = BalancerConversation(link: link)
    }

    /// What was seen so far.
    var counters: BalancerLinkCounters { self.conversation.counters }

    /// When ``turn()`` must next be called.
    var nextDeadline: MonotonicTime? { self.conversation.nextDeadline }

    /// Begins to announce the instance.
    func start() { self.change { $0.start(now: $1) } }

    /// Has the balancer told.
    func tell(_ notice: BootstrapNotice) { self.change { $0.tell(notice, now: $1) } }

    /// Asks whether a host is pinned for a device.
    func ask(_ procedure: ProcedureID, endpoint: UTF8Text, host: UTF8Text, within timeout: Duration) {
        self.change {
            $0.ask(procedure, endpoint: endpoint, host: host, until: $1.advanced(by: timeout), now: $1)
        }
    }

    /// Has the balancer told what is left and that the instance goes; ``onLeft`` follows when it answers.
    func leave() { self.change { $0.leave(now: $1) } }

    /// Does what is due.
    func turn() {
        guard let deadline = self.conversation.nextDeadline, deadline <= self.loop.now else { return }
        self.change { $0.deadlineReached(now: $1) }
    }

    /// Takes an event of the transport.
    ///
    /// - Returns: whether it was about this connection.
    func take(_ event: TransportEvent) -> Bool {
        guard let session = self.session else { return false }
        switch event {
        case .sessionConnected(session, _): self.change { $0.opened(now: $1) }
        case .sessionClosed(session, _, _):
            self.session = nil
            self.change { $0.closed(now: $1) }
        case .responseReceived(session, _, let tag, let response): self.change { $0.take(response, to: tag, now: $1) }
        case .requestFailed(session, _, let tag, _): self.change { $0.failed(tag, now: $1) }
        case .requestReceived(let exchange, session, _, _, _):
            // A balancer asks nothing.
            self.transport.respond(to: exchange, CoAPResponse(.notFound))
        default: return false
        }
        return true
    }

    private func change(_ body: (inout BalancerConversation, MonotonicTime) -> Void) {
        body(&self.conversation, self.loop.now)
        // What is done can tell the conversation something more: the outermost call does it all, in order.
        guard !self.isPerforming else { return }
        self.isPerforming = true
        defer { self.isPerforming = false }
        while let output = self.conversation.nextOutput() { self.perform(output) }
    }

    private func perform(_ output: BalancerConversation.Output) {
        switch output {
        case .open: self.open()
        case .close:
            if let session = self.session { self.transport.closeSession(session) }
            self.session = nil
        case .announce(let tag):
            var report = self.link.instance
            report.inProgress = self.inProgress()
            report.isFirst = self.conversation.counters.announcements == 0
            let body = report.encoded()
            self.send(CoAPRequest(.post, path: ["instances"], contentFormat: .json, payload: body), tag)
        case .send(let tag, let request): self.send(request, tag)
        case .pinAnswered(let procedure, let isPinned): self.onPinAnswer(procedure, isPinned)
        case .left: self.onLeft()
        case .report(let report): self.onReport(report)
        }
    }

    private func open() {
        let key = PreSharedKey(identity: self.link.instance.name.bytes, key: self.link.key)
        do {
            self.session = try self.transport.openSession(
                to: self.link.address,
                security: .preSharedKey(key, serverName: nil),
                from: nil,
                tag: 0
            )
        } catch {
            self.conversation.closed(now: self.loop.now)
        }
    }

    private func send(_ request: CoAPRequest, _ tag: UInt32) {
        do {
            guard let session = self.session else { throw TransportError.sessionUnknown }
            try self.transport.send(request, on: session, tag: tag)
        } catch {
            self.conversation.failed(tag, now: self.loop.now)
        }
    }
}
