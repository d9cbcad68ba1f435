import CoAPTransport
import ManagementEngine
import ServiceSupport

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
        ].merging(transport.byName) { first, _ in first }
    }
}
