import BootstrapEngine
import CoAPMessages
import Primitives
import ServiceSupport

/// What an instance says to its balancer, and when; without a socket or a clock.
///
///     closed ──▶ opening ──▶ open: announce ──▶ known: notices, questions, announce again … ──▶ leave
///       ▲           │              │                    │
///       └── pause ──┴──────────────┴─ silent or closed ─┘
///
/// One announcement and one batch of notices are under way at a time. Whatever is not answered in time makes the
/// connection count as lost: a balancer that was started anew knows nothing of the old one.
struct BalancerConversation {
    /// What its owner must do.
    enum Output: Equatable {
        /// Open the connection; answered by ``opened(now:)`` or ``closed(now:)``.
        case open
        /// Close the connection; nothing is to be said about it afterwards.
        case close
        /// Send the number of bootstraps in progress with the rest of the report.
        case announce(tag: UInt32)
        /// Send a request.
        case send(tag: UInt32, CoAPRequest)
        /// The answer to ``ask(_:endpoint:host:until:now:)``.
        case pinAnswered(ProcedureID, isPinned: Bool)
        /// The balancer will send nobody here any more, or does not answer.
        case left
        /// Tell the embedder.
        case report(BalancerLinkReport)
    }

    private enum Connection: Equatable {
        case closed
        case opening
        case open
    }

    private enum Purpose: Equatable {
        case announcement
        case notices
        case question(ProcedureID)
        case farewell
    }

    private enum Timer: Hashable {
        case connection
        case announcement
        case notices
        case request(UInt32)
    }

    private struct Question {
        let procedure: ProcedureID
        let request: CoAPRequest
        let until: MonotonicTime
    }

    private static let maximumQuestionsUnderWay = 32

    private let link: BalancerLink
    private var connection = Connection.closed
    private var isKnown = false
    private var isLeaving = false
    private var hasLeft = false
    private var pause: Duration
    private var noticePause: Duration
    private var waitsWithNotices = false
    private var waitsWithAnnouncement = false
    private var purposes: [UInt32: Purpose] = [:]
    private var lastTag: UInt32 = 0
    private var questions: [Question] = []
    private var queue: NoticeQueue
    private var timers = DeadlineHeap<Timer>()
    private var lastReport: BalancerLinkReport?
    private var outputs: [Output] = []
    private var seen = BalancerLinkCounters()

    init(link: BalancerLink) {
        self.link = link
        self.pause = link.retryPause.lowerBound
        self.noticePause = link.retryPause.lowerBound
        self.queue = NoticeQueue(capacity: link.maximumNotices)
    }

    /// What was seen so far.
    var counters: BalancerLinkCounters {
        var counters = self.seen
        counters.mergedNotices = self.queue.merged
        counters.droppedNotices = self.queue.dropped
        return counters
    }

    /// How many notices are not acknowledged.
    var unacknowledged: Int { self.queue.count }

    /// When ``deadlineReached(now:)`` must next be called.
    var nextDeadline: MonotonicTime? {
        mutating get { self.timers.earliest() }
    }

    /// Removes and returns the oldest output.
    mutating func nextOutput() -> Output? {
        self.outputs.isEmpty ? nil : self.outputs.removeFirst()
    }

    // MARK: What the instance wants

    /// Begins.
    mutating func start(now: MonotonicTime) { self.open(now: now) }

    /// Has the balancer told.
    mutating func tell(_ notice: BootstrapNotice, now: MonotonicTime) {
        self.queue.append(notice)
        self.proceed(now: now)
    }

    /// Asks whether a host is pinned for a device; there is no answer after a time.
    mutating func ask(
        _ procedure: ProcedureID,
        endpoint: UTF8Text,
        host: UTF8Text,
        until end: MonotonicTime,
        now: MonotonicTime
    ) {
        let query = [UTF8Text("ep=\(endpoint.string)"), UTF8Text("host=\(host.string)")]
        let request = CoAPRequest(.get, path: ["pins"], query: query)
        self.questions.append(Question(procedure: procedure, request: request, until: end))
        self.proceed(now: now)
    }

    /// Has the balancer told everything that is left, and then that the instance goes.
    mutating func leave(now: MonotonicTime) {
        self.isLeaving = true
        guard self.connection == .open || self.queue.count > 0 else {
            // The balancer is away and misses nothing but a farewell: it will miss the instance soon.
            self.hasLeft = true
            self.outputs.append(.left)
            return
        }
        self.proceed(now: now)
    }

    // MARK: What happens

    /// The connection is there.
    mutating func opened(now: MonotonicTime) {
        guard self.connection == .opening else { return }
        self.connection = .open
        self.timers.set(nil, for: .connection)
        self.proceed(now: now)
    }

    /// The connection is gone, or there was none.
    mutating func closed(now: MonotonicTime) {
        guard self.connection != .closed else { return }
        self.loseConnection(now: now)
    }

    /// An answer came.
    mutating func take(_ response: CoAPResponse, to tag: UInt32, now: MonotonicTime) {
        guard let purpose = self.purposes.removeValue(forKey: tag) else { return }
        self.timers.set(nil, for: .request(tag))
        self.pause = self.link.retryPause.lowerBound
        switch purpose {
        case .announcement: self.takeAnnouncement(response, now: now)
        case .notices: self.takeNotices(response, now: now)
        case .question(let procedure):
            self.outputs.append(.pinAnswered(procedure, isPinned: response.code == .content))
        case .farewell:
            self.hasLeft = true
            self.outputs.append(.left)
        }
        self.proceed(now: now)
    }

    /// A request got no answer.
    mutating func failed(_ tag: UInt32, now: MonotonicTime) {
        guard self.purposes[tag] != nil else { return }
        self.outputs.append(.close)
        self.loseConnection(now: now)
    }

    /// Does what is due.
    mutating func deadlineReached(now: MonotonicTime) {
        while let timer = self.timers.popReached(now: now) {
            switch timer {
            case .connection where self.connection == .closed: self.open(now: now)
            case .connection, .request:
                self.outputs.append(.close)
                self.loseConnection(now: now)
            case .announcement:
                self.waitsWithAnnouncement = false
                self.announce(now: now)
            case .notices: self.waitsWithNotices = false
            }
        }
        self.proceed(now: now)
    }

    // MARK: The rest

    private mutating func open(now: MonotonicTime) {
        self.connection = .opening
        self.timers.set(now.advanced(by: self.link.answerTimeout), for: .connection)
        self.outputs.append(.open)
    }

    private mutating func loseConnection(now: MonotonicTime) {
        self.seen.lostConnections += 1
        self.connection = .closed
        self.isKnown = false
        for tag in self.purposes.keys { self.timers.set(nil, for: .request(tag)) }
        if self.purposes.values.contains(.notices) {
            self.queue.giveBack()
            self.seen.repeatedBatches += 1
        }
        self.purposes = [:]
        self.waitsWithNotices = false
        self.waitsWithAnnouncement = false
        self.timers.set(nil, for: .announcement)
        self.timers.set(nil, for: .notices)
        self.timers.set(now.advanced(by: self.pause), for: .connection)
        self.pause = min(self.pause * 2, self.link.retryPause.upperBound)
        self.report(.lost)
    }

    /// Sends what can be sent now.
    private mutating func proceed(now: MonotonicTime) {
        self.questions.removeAll { $0.until <= now }
        guard self.connection == .open else { return }
        guard self.isKnown || self.isLeaving else {
            if !self.waitsWithAnnouncement { self.announce(now: now) }
            return
        }
        while let question = self.questions.first, self.questionsUnderWay < Self.maximumQuestionsUnderWay {
            self.questions.removeFirst()
            self.send(question.request, for: .question(question.procedure), now: now)
        }
        if !self.waitsWithNotices, !self.isUnderWay(.notices) {
            let batch = self.queue.nextBatch()
            if !batch.isEmpty {
                let body = BootstrapNotice.encode(batch)
                let request = CoAPRequest(.post, path: ["notifications"], contentFormat: .json, payload: body)
                self.send(request, for: .notices, now: now)
            }
        }
        if self.isLeaving, !self.hasLeft, self.queue.count == 0, !self.isUnderWay(.farewell) {
            let query = UTF8Text("name=\(self.link.instance.name.string)")
            self.send(CoAPRequest(.delete, path: ["instances"], query: [query]), for: .farewell, now: now)
        }
    }

    private var questionsUnderWay: Int {
        self.purposes.values.count { if case .question = $0 { true } else { false } }
    }

    private func isUnderWay(_ purpose: Purpose) -> Bool { self.purposes.values.contains(purpose) }

    private mutating func announce(now: MonotonicTime) {
        guard self.connection == .open, !self.isLeaving, !self.isUnderWay(.announcement) else { return }
        self.outputs.append(.announce(tag: self.begin(.announcement, now: now)))
    }

    private mutating func send(_ request: CoAPRequest, for purpose: Purpose, now: MonotonicTime) {
        self.outputs.append(.send(tag: self.begin(purpose, now: now), request))
    }

    private mutating func begin(_ purpose: Purpose, now: MonotonicTime) -> UInt32 {
        repeat { self.lastTag &+= 1 } while self.purposes[self.lastTag] != nil
        self.purposes[self.lastTag] = purpose
        self.timers.set(now.advanced(by: self.link.answerTimeout), for: .request(self.lastTag))
        return self.lastTag
    }

    private mutating func takeAnnouncement(_ response: CoAPResponse, now: MonotonicTime) {
        guard response.code.isSuccess, let answer = try? InstanceReportAnswer(decoding: response.payload) else {
            self.refused(response.code)
            self.isKnown = false
            self.announceLater(now.advanced(by: self.link.retryPause.upperBound))
            return
        }
        self.isKnown = true
        self.seen.announcements += 1
        self.announceLater(now.advanced(by: .seconds(answer.interval)))
        if self.lastReport != .known { self.report(self.seen.announcements == 1 ? .known : .back) }
    }

    private mutating func announceLater(_ time: MonotonicTime) {
        self.waitsWithAnnouncement = true
        self.timers.set(time, for: .announcement)
    }

    private mutating func takeNotices(_ response: CoAPResponse, now: MonotonicTime) {
        if response.code.isSuccess {
            self.seen.acknowledgedNotices += UInt64(self.queue.acknowledge())
            self.noticePause = self.link.retryPause.lowerBound
            return
        }
        self.refused(response.code)
        self.queue.giveBack()
        self.seen.repeatedBatches += 1
        self.waitsWithNotices = true
        self.timers.set(now.advanced(by: self.noticePause), for: .notices)
        self.noticePause = min(self.noticePause * 2, self.link.retryPause.upperBound)
    }

    private mutating func refused(_ code: CoAPCode) {
        self.seen.refusals += 1
        self.report(.refused(code))
    }

    /// Says a thing once, until another is the case.
    private mutating func report(_ report: BalancerLinkReport) {
        guard self.lastReport != report else { return }
        self.lastReport = report
        self.outputs.append(.report(report))
    }
}
