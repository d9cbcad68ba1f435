import BalancerEngine
import BootstrapURIs
import Primitives

/// Puts what happens into lines of a log: single events at once, batches and slow work at most once a second.
struct Narration {
    private static let interval: Duration = .seconds(1)

    private struct Rotation {
        let name: String
        let begun: MonotonicTime
        let batches: UInt64
    }

    private var limit = LineLimit()
    private var rotation: Rotation?
    private var batches = 0
    private var assigned = 0
    private var removed = 0
    private var loading: (done: Int, count: Int)?
    private var derived: UInt64 = 0
    private var nextLine: MonotonicTime?

    /// When ``tick(_:now:)`` has something to say; nil when nothing waits to be said.
    var nextDeadline: MonotonicTime? { self.nextLine }

    /// The lines to write for one: none when there were too many of its kind, and how many were left out before.
    mutating func admit(_ entry: BalancerLogEntry, now: MonotonicTime) -> [BalancerLogEntry] {
        guard let leftOut = self.limit.admit(entry.event, now: now) else { return [] }
        return leftOut.map { kind, count in
            BalancerLogEntry("left-out", "and \(count) more lines about \(kind)", ["about": kind, "count": "\(count)"])
        } + [entry]
    }

    mutating func loading(left: Int, count: Int) {
        self.loading = left > 0 ? (count - left, count) : nil
    }

    /// What can be said now about work that goes on.
    mutating func tick(_ engine: BalancerEngine, now: MonotonicTime) -> [BalancerLogEntry] {
        let status = engine.status
        let isBusy = self.batches > 0 || self.loading != nil || status.isDeriving || self.rotation != nil
        guard isBusy else {
            self.nextLine = nil
            return []
        }
        let isDone = !status.isDeriving && status.pending == 0 && status.writing == .idle && self.loading == nil
        guard let next = self.nextLine, isDone || next <= now else {
            if self.nextLine == nil { self.nextLine = now.advanced(by: Self.interval) }
            return isDone ? self.finish(engine, now: now) : []
        }
        var lines: [BalancerLogEntry] = []
        if let loading = self.loading {
            lines.append(
                BalancerLogEntry(
                    "loading",
                    "loading devices: \(loading.done) of \(loading.count)",
                    ["done": "\(loading.done)", "count": "\(loading.count)"]
                )
            )
        }
        if status.isDeriving, engine.counters.derived != self.derived {
            self.derived = engine.counters.derived
            lines.append(
                BalancerLogEntry("deriving", "deriving names: \(self.derived) so far", ["derived": "\(self.derived)"])
            )
        }
        if isDone { return lines + self.finish(engine, now: now) }
        lines += self.batchLine()
        self.nextLine = now.advanced(by: Self.interval)
        return lines
    }

    private mutating func finish(_ engine: BalancerEngine, now: MonotonicTime) -> [BalancerLogEntry] {
        var lines = self.batchLine()
        if let rotation = self.rotation {
            let batches = engine.counters.batches - rotation.batches
            let tenths = rotation.begun.duration(to: now).nanoseconds / 100_000_000
            let seconds = "\(tenths / 10).\(tenths % 10)"
            lines.append(
                BalancerLogEntry(
                    "rotation-done",
                    "rotation \(rotation.name) done: \(engine.status.published) names, \(batches) batches, \(seconds) s",
                    [
                        "window": rotation.name, "names": "\(engine.status.published)", "batches": "\(batches)",
                        "seconds": seconds,
                    ]
                )
            )
            self.rotation = nil
        }
        self.nextLine = nil
        return lines
    }

    private mutating func batchLine() -> [BalancerLogEntry] {
        guard self.batches > 0 else { return [] }
        defer { (self.batches, self.assigned, self.removed) = (0, 0, 0) }
        return [
            BalancerLogEntry(
                "batches",
                "registry: \(self.batches) batches, \(self.assigned) names assigned, \(self.removed) removed",
                ["batches": "\(self.batches)", "assigned": "\(self.assigned)", "removed": "\(self.removed)"]
            )
        ]
    }

    /// The line about something that the engine reports; nil when it is told later, or with others.
    mutating func take(_ report: BalancerReport, batchesBefore: UInt64, now: MonotonicTime) -> BalancerLogEntry? {
        switch report {
        case .batchDone(let assigned, let removed):
            self.batches += 1
            self.assigned += assigned
            self.removed += removed
            return nil
        case .windowBegun(let window):
            self.rotation = Rotation(name: "\(window.stamp)", begun: now, batches: batchesBefore)
            return BalancerLogEntry(
                "rotation-begun",
                "rotation \(window.stamp) begins",
                ["window": "\(window.stamp)"]
            )
        default: return Self.line(report)
        }
    }

    private static func line(_ report: BalancerReport) -> BalancerLogEntry? {
        switch report {
        case .instanceUp(let name):
            return BalancerLogEntry("instance-up", "instance \(name) up", ["instance": name.string])
        case .instanceLost(let name, let names, let restarted):
            return BalancerLogEntry(
                "instance-lost",
                "instance \(name) lost: \(names) names moved, \(restarted) devices in progress restarted",
                ["instance": name.string, "names": "\(names)", "restarted": "\(restarted)"]
            )
        case .instanceRestarted(let name, let restarted):
            return BalancerLogEntry(
                "instance-restarted",
                "instance \(name) began anew: \(restarted) devices in progress restarted",
                ["instance": name.string, "restarted": "\(restarted)"]
            )
        case .noInstance(let isHolding):
            let what = isHolding ? "names lead to the balancer" : "names keep their last one"
            return BalancerLogEntry("no-instance", "no instance is up: \(what)", ["holding": "\(isHolding)"])
        case .instanceStartFailed:
            return BalancerLogEntry("instance-start-failed", "no instance could be started on demand")
        case .namesDerived(let count):
            return BalancerLogEntry("names-derived", "\(count) names derived", ["count": "\(count)"])
        case .windowEnded(let window):
            return BalancerLogEntry("window-ended", "window \(window.stamp) ended", ["window": "\(window.stamp)"])
        case .registryUnreachable(let retry):
            return BalancerLogEntry(
                "registry-unreachable",
                "registry unreachable, next try in \(Self.seconds(retry)) s",
                ["retry": Self.seconds(retry)]
            )
        case .registryRefused(let code, let retry):
            return BalancerLogEntry(
                "registry-refused",
                "registry refuses with code \(code) (\(Self.hint(code))), next try in \(Self.seconds(retry)) s",
                ["code": "\(code)", "retry": Self.seconds(retry)]
            )
        case .registryRecovered: return BalancerLogEntry("registry-back", "registry back")
        case .superseded(let epoch):
            let who = epoch.map { "'\($0.writer)' writes the zone" } ?? "the zone lost its epoch"
            return BalancerLogEntry(
                "superseded",
                "\(who): nothing is written until 'starling ctl balancer take-over'",
                ["by": epoch?.writer.string ?? ""]
            )
        case .tookOver(let names):
            return BalancerLogEntry("took-over", "took over the zone and its \(names) names", ["names": "\(names)"])
        case .storageFailed(let retry):
            return BalancerLogEntry(
                "storage-retry",
                "storing again in \(Self.seconds(retry)) s",
                ["retry": Self.seconds(retry)]
            )
        case .givenUp(let endpoint):
            return BalancerLogEntry("given-up", "given up \(endpoint): never finished", ["endpoint": endpoint.string])
        case .unknownDevice(let endpoint):
            return BalancerLogEntry("unknown-device", "unknown device \(endpoint)", ["endpoint": endpoint.string])
        case .underivable(let endpoint):
            return BalancerLogEntry(
                "underivable",
                "no name can be derived for \(endpoint): its secret is too short for the profile",
                ["endpoint": endpoint.string]
            )
        case .refusedByBounds(let bound):
            return BalancerLogEntry(
                "refused-by-bounds",
                "refused: the table of \(bound) is full",
                ["bound": "\(bound)"]
            )
        case .batchDone, .windowBegun: return nil
        }
    }

    private static func seconds(_ duration: Duration) -> String { "\(duration.components.seconds)" }

    /// What a DNS response code means here.
    ///
    /// - Source: RFC 1035, section 4.1.1; RFC 2136, section 2.2; RFC 8945, section 3.
    private static func hint(_ code: UInt8) -> String {
        switch code {
        case 1: "the message is malformed or too large"
        case 5: "the key may not write this"
        case 9: "it is not the primary server of the zone"
        case 10: "a name is outside the zone"
        case 16: "the key is wrong"
        case 17: "the name of the key is unknown"
        case 18: "the clocks differ by more than 300 s"
        default: "see the server's log"
        }
    }
}
