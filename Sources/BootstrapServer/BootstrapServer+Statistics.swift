import BootstrapEngine
import ServiceSupport

extension BootstrapServer {
    /// Counters of the server, its transport and its connection to the balancer by name; what `starling ctl stats` shows.
    public var statistics: [String: UInt64] {
        let (engine, balancer) = (self.counters, self.balancerCounters)
        let own: [String: UInt64] = [
            "inProgress": UInt64(self.proceduresInProgress),
            "storageFailures": self.storageFailures,
            "started": engine.started,
            "finished": engine.finished,
            "refusedByDevice": engine.refusedByDevice,
            "timedOut": engine.timedOut,
            "abandoned": engine.abandoned,
            "malformed": engine.malformed,
            "unknownEndpoints": engine.unknownEndpoints,
            "identityMismatches": engine.identityMismatches,
            "missingHosts": engine.missingHosts,
            "unknownHosts": engine.unknownHosts,
            "expiredHosts": engine.expiredHosts,
            "pinnedHosts": engine.pinnedHosts,
            "staticHosts": engine.staticHosts,
            "unansweredPins": engine.unansweredPins,
            "drained": engine.drained,
            "refusedByBounds": engine.refusedByBounds,
            "refusedOtherwise": engine.refusedOtherwise,
            "announcements": balancer.announcements,
            "lostConnections": balancer.lostConnections,
            "acknowledgedNotices": balancer.acknowledgedNotices,
            "repeatedBatches": balancer.repeatedBatches,
            "mergedNotices": balancer.mergedNotices,
            "droppedNotices": balancer.droppedNotices,
            "refusals": balancer.refusals,
        ]
        return own.merging(self.transportCounters.byName) { first, _ in first }
    }
}
