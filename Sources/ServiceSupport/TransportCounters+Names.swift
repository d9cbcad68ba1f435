public import CoAPTransport

extension TransportCounters {
    /// The counters that operators care for, under the names that people and machines see.
    public var byName: [String: UInt64] {
        [
            "malformedDatagrams": self.malformedDatagrams,
            "unknownCriticalOptions": self.unknownCriticalOptions,
            "duplicateRequests": self.duplicateRequests,
            "wrongKeys": self.wrongKeys,
            "unknownIdentities": self.unknownIdentities,
            "failedHandshakes": self.failedHandshakes,
            "refusedSessions": self.refusedSessions,
            "refusedBodies": self.refusedBodies,
            "incompleteBodies": self.incompleteBodies,
            "unexpectedAnswers": self.unexpectedAnswers,
            "failedSends": self.failedSends,
        ]
    }
}
