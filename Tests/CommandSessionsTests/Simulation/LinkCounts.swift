import CommandSessions

/// What happened on a link.
struct LinkCounts: Sendable {
    var sessions = 0
    var completed = 0
    var aborted = 0
    /// Sessions of which the gateway knows that nobody knows what became of them.
    var unknown = 0
    /// Sessions whose identifiers the device did not know any more when it was asked for the outcome.
    var forgotten = 0
    /// Sessions in which nothing went wrong, and which nothing older came into.
    var undisturbed = 0
    /// Those of them that came to nothing.
    var undisturbedAborted = 0
    var messages = 0
    var lost = 0
    var duplicated = 0
    /// Messages that the device knew as those of a session that is over.
    var late = 0
    var crashes = 0
    var storageFailures = 0
    /// Commands that were to be executed and could not begin.
    var notBegun = 0
    /// Messages that an attacker sent or changed.
    var attacks = 0
    var breaches: [SessionBreach: Int] = [:]

    static func += (sum: inout LinkCounts, more: LinkCounts) {
        sum.sessions += more.sessions
        sum.completed += more.completed
        sum.aborted += more.aborted
        sum.unknown += more.unknown
        sum.forgotten += more.forgotten
        sum.undisturbed += more.undisturbed
        sum.undisturbedAborted += more.undisturbedAborted
        sum.messages += more.messages
        sum.lost += more.lost
        sum.duplicated += more.duplicated
        sum.late += more.late
        sum.crashes += more.crashes
        sum.storageFailures += more.storageFailures
        sum.notBegun += more.notBegun
        sum.attacks += more.attacks
        sum.breaches.merge(more.breaches, uniquingKeysWith: +)
    }

    var line: String {
        let breaches = self.breaches.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.name) \($0.value)" }
        return """
            \(self.sessions) sessions: \(self.completed) completed, \(self.aborted) aborted, \(self.unknown) unknown \
            (\(self.forgotten) forgotten); of \(self.undisturbed) undisturbed \(self.undisturbedAborted) aborted; \
            \(self.messages) messages: \(self.lost) lost, \(self.duplicated) doubled, \(self.late) late; \
            \(self.crashes) crashes, \(self.storageFailures) storage failures, \
            \(self.notBegun) not begun; \
            \(self.attacks) attacks; breaches: \(breaches.isEmpty ? "none" : breaches.joined(separator: ", "))
            """
    }
}
