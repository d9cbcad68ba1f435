import CommandSessions
import GatewayEngine

extension CommandGateway {
    /// The counters of commands and sessions under the names that people and machines see.
    var ownStatistics: [String: UInt64] {
        let counters = self.engine.counters
        var numbers: [String: UInt64] = [
            "commandsAccepted": counters.commandsAccepted,
            "commandsDone": counters.commandsDone,
            "commandsNotDone": counters.commandsNotDone,
            "commandsUnknown": counters.commandsUnknown,
            "commandsWaiting": UInt64(self.engine.commandCount),
            "commandsQueueFull": counters.queueFull,
            "commandsUnpermitted": counters.unpermitted,
            "commandsRefusedOtherwise": counters.refusedOtherwise,
            "commandsRefusedByDevice": counters.refusedByDevice,
            "commandSessionsBegun": counters.sessionsBegun,
            "commandSessionsCompleted": counters.sessionsCompleted,
            "commandSessionsAborted": counters.sessionsAborted,
            "commandSessionsUnknown": counters.sessionsUnknown,
            "commandSessionRetries": counters.retries,
            "gatewayCommits": self.commits,
            "gatewayStorageFailures": counters.storageFailures,
            "auditsLost": counters.auditsLost,
        ]
        for breach in SessionBreach.allCases { numbers["breaches-\(breach.name)"] = counters[breach] }
        return numbers
    }
}
