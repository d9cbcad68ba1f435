import BalancerEngine
import Primitives

/// What is remembered of every instance that reported to this process, also of those that are gone.
///
/// Only instances with credentials report, so there are no more of them than credentials.
struct InstanceRecords {
    /// One instance.
    struct Record {
        var instance: BootstrapInstance
        var isUp = false
        var inProgress = 0
        var started: UInt64 = 0
        var completed: UInt64 = 0
        var failed: UInt64 = 0
    }

    private(set) var all: [UTF8Text: Record] = [:]

    mutating func report(_ instance: BootstrapInstance, inProgress: Int) {
        self.all[instance.name, default: Record(instance: instance)].instance = instance
        self.all[instance.name]?.inProgress = inProgress
    }

    /// Takes over what the engine says of an instance.
    mutating func take(_ report: BalancerReport) {
        switch report {
        case .instanceUp(let name): self.all[name]?.isUp = true
        case .instanceLost(let name, _, _):
            self.all[name]?.isUp = false
            self.all[name]?.inProgress = 0
        default: break
        }
    }

    func isUp(_ name: UTF8Text) -> Bool { self.all[name]?.isUp ?? false }

    /// Counts what an instance's notifications changed.
    mutating func count(_ name: UTF8Text, before: BalancerCounters, after: BalancerCounters) {
        self.all[name]?.started += after.started - before.started
        self.all[name]?.completed += after.completed - before.completed
        self.all[name]?.failed += after.failed - before.failed
    }
}
