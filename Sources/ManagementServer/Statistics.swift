import CoAPTransport
import ManagementEngine

/// The counters of a server under the names that people and machines see.
enum Statistics {
    static func numbers(_ engine: ManagementCounters, _ transport: TransportCounters) -> [String: UInt64] {
        [
            "registered": engine.registered,
            "replaced": engine.replaced,
            "updated": engine.updated,
            "deregistered": engine.deregistered,
            "expired": engine.expired,
            "malformed": engine.malformed,
            "identityMismatches": engine.identityMismatches,
            "unknownLocations": engine.unknownLocations,
            "refusedByBounds": engine.refusedByBounds,
            "refusedOtherwise": engine.refusedOtherwise,
            "commandsAnswered": engine.commandsAnswered,
            "commandsFailed": engine.commandsFailed,
            "notifications": engine.notifications,
            "staleNotifications": engine.staleNotifications,
            "sends": engine.sends,
            "unreadableBodies": engine.unreadableBodies,
            "malformedDatagrams": transport.malformedDatagrams,
            "unknownCriticalOptions": transport.unknownCriticalOptions,
            "duplicateRequests": transport.duplicateRequests,
            "wrongKeys": transport.wrongKeys,
            "unknownIdentities": transport.unknownIdentities,
            "failedHandshakes": transport.failedHandshakes,
            "refusedSessions": transport.refusedSessions,
            "refusedBodies": transport.refusedBodies,
            "incompleteBodies": transport.incompleteBodies,
            "unexpectedAnswers": transport.unexpectedAnswers,
            "failedSends": transport.failedSends,
        ]
    }
}
