import CoAPMessages
import CommandSessions
import Primitives
import Testing

/// Restarts from the stored record at every step, and stores that fail.
@Suite struct DeviceInterruptionTests {
    /// How far a session has come when the device goes down, by what it has stored then.
    enum Step: CaseIterable {
        case nothing, storingIdentifiers, awaitingMessage3, storingExecution, executing, storingOutcome, done
    }

    struct Restart: Sendable, CustomTestStringConvertible {
        let wording: SessionWording
        let step: Step
        /// Whether the record on its way to storage got there.
        let isStored: Bool

        var testDescription: String { "\(self.wording.form), \(self.step), \(self.isStored ? "stored" : "not stored")" }

        static let all: [Restart] = SessionWording.both.flatMap { wording in
            Step.allCases.flatMap { step in
                [false, true].map { Restart(wording: wording, step: step, isStored: $0) }
            }
        }

        /// What is found in storage when the device comes up again.
        func record() throws -> DeviceSessionRecord {
            var device = try self.wording.device()
            var disk = device.record
            func record(of action: DeviceSessionMachine.Action) throws -> DeviceSessionRecord {
                guard case .store(let record) = action else { throw NotStored() }
                return record
            }
            if self.step == .nothing { return disk }
            let message1 = try self.wording.message1("Z", "5")
            let offered = try record(of: device.message1Received(message1, identifier: identifier("2")))
            if self.step == .storingIdentifiers { return self.isStored ? offered : disk }
            disk = offered
            _ = device.stored(now: now)
            if self.step == .awaitingMessage3 { return disk }
            let executing = try record(of: device.message3Received(self.wording.message3("Z", "2")))
            if self.step == .storingExecution { return self.isStored ? executing : disk }
            disk = executing
            _ = device.stored(now: now)
            if self.step == .executing { return disk }
            let outcome = try record(of: device.executed(.done(.changed)))
            return self.step == .done || self.isStored ? outcome : disk
        }

        /// What the device says of the session then; nil when it never heard of it.
        var outcome: SessionOutcome? {
            switch (self.step, self.isStored) {
            case (.nothing, _), (.storingIdentifiers, false): nil
            case (.storingIdentifiers, true), (.awaitingMessage3, _), (.storingExecution, false): .notDone
            case (.storingExecution, true), (.executing, _), (.storingOutcome, false): .unknown
            case (.storingOutcome, true), (.done, _): .done(.changed)
            }
        }
    }

    struct NotStored: Error {}

    @Test(arguments: Restart.all)
    func aRestartedDeviceTellsWhatItKnowsAndExecutesNothingAgain(_ restart: Restart) throws {
        var device = try restart.wording.device(restart.record())
        #expect(device.stateNumber == 0)
        #expect(device.message2 == nil)
        #expect(device.nextDeadline == nil)
        let message3 = device.message3Received(try restart.wording.message3("Z", "2"))
        let asked = device.outcomeAsked(try restart.wording.pair("Z", "2"))
        switch restart.outcome {
        case nil:
            #expect(message3 == .refuse(.breach(.wrongIdentifier)))
            #expect(asked == .refuse(.breach(.wrongIdentifier)))
        case .notDone?:
            #expect(message3 == .refuse(.late))
            #expect(asked == .answer(.notDone))
        case let outcome?:
            #expect(message3 == .answer(outcome))
            #expect(asked == .answer(outcome))
        }
        #expect(device.stateNumber == 0, "nothing is executed")
    }

    @Test(arguments: Restart.all)
    func theNextSessionOfARestartedDeviceCompletes(_ restart: Restart) throws {
        var device = try restart.wording.device(restart.record())
        let wasExecuted = restart.outcome.map { $0 != .notDone } ?? false
        try restart.wording.complete(&device, "Y", wasExecuted ? "2" : "5", new: "3")
        #expect(device.record.dsid == (try cache(established: "3")))
        #expect(device.record.gsid == (try restart.wording.gsids("Y")))
        #expect(
            device.record.lastExecution == .init(pair: try restart.wording.pair("Y", "3"), outcome: .done(.changed))
        )
    }

    @Test(arguments: SessionWording.both)
    func anExecutionThatARestartCutShortIsUnknown(_ wording: SessionWording) throws {
        let record = DeviceSessionRecord(
            gsid: try wording.gsids("Z"),
            dsid: try cache(established: "2"),
            lastExecution: .init(pair: try wording.pair("Z", "2"), outcome: .executing)
        )
        var device = try wording.device(record)
        #expect(device.record.lastExecution?.outcome == .unknown)
        #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.unknown))
        #expect(device.message3Received(try wording.message3("Z", "2")) == .answer(.unknown))
        #expect(device.executed(.done(.changed)) == .none)
    }

    @Test(arguments: SessionWording.both)
    func withoutNewIdentifiersInStorageThereIsNoMessage2(_ wording: SessionWording) throws {
        var device = try wording.device()
        let before = device.record
        _ = device.message1Received(try wording.message1("Z", "5"), identifier: try identifier("2"))
        #expect(device.storageFailed() == .refuse(.notStored))
        #expect(device.record == before)
        #expect(device.message2 == nil)
        #expect(device.message3Received(try wording.message3("Z", "2")) == .refuse(.breach(.wrongIdentifier)))
        try wording.complete(&device, "Y", "5", new: "3")
    }

    @Test(arguments: SessionWording.both)
    func withoutTheMarkInStorageNothingIsExecuted(_ wording: SessionWording) throws {
        var device = try wording.device()
        try wording.offer(&device, "Z", "5", new: "2")
        let before = device.record
        _ = device.message3Received(try wording.message3("Z", "2"))
        #expect(device.storageFailed() == .refuse(.notStored))
        #expect(device.record == before)
        #expect(device.message3Received(try wording.message3("Z", "2")) == .refuse(.late))
        #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.notDone))
        #expect(device.counters.aborted == 1)
        try wording.complete(&device, "Y", "5", new: "3")
    }

    @Test(arguments: SessionWording.both)
    func anOutcomeThatWasNotStoredIsToldUntilTheDeviceGoesDown(_ wording: SessionWording) throws {
        var device = try wording.device()
        try wording.offer(&device, "Z", "5", new: "2")
        _ = device.message3Received(try wording.message3("Z", "2"))
        let stored = device.record
        _ = device.stored(now: now)
        _ = device.executed(.done(.changed))
        #expect(device.storageFailed() == .answer(.done(.changed)))
        #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.done(.changed)))
        device = try wording.device(stored)
        #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.unknown))
        try wording.complete(&device, "Y", "2", new: "3")
    }

    @Test(arguments: SessionWording.both)
    func aFailedStoreOfASessionThatTookAnothersPlaceLeavesTheOtherLate(_ wording: SessionWording) throws {
        var device = try wording.device()
        try wording.offer(&device, "Z", "5", new: "2")
        _ = device.message1Received(try wording.message1("Y", "5", 50), identifier: try identifier("3"))
        #expect(device.message3Received(try wording.message3("Z", "2")) == .refuse(.late))
        #expect(device.storageFailed() == .refuse(.notStored))
        #expect(device.message3Received(try wording.message3("Z", "2")) == .refuse(.late))
        #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.notDone))
        #expect(device.counters.aborted == 2)
    }

    @Test("A command that was not begun is not told so before it is stored: a restart would make it unknown")
    func notDoneIsToldOnceItIsStored() throws {
        for wording in SessionWording.both {
            var device = try wording.device()
            try wording.offer(&device, "Z", "5", new: "2")
            let before = device.record
            _ = device.message3Received(try wording.message3("Z", "2"))
            _ = device.stored(now: now)
            #expect(device.executed(.notDone) == .store(before))
            #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.executing))
            #expect(device.message3Received(try wording.message3("Z", "2")) == .refuse(.busy))
            #expect(device.stored(now: now) == .answer(.notDone))
            #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.notDone))
        }
    }

    @Test("A command that was not begun is unknown when that cannot be stored, as it is after a restart")
    func notDoneThatIsNotStoredIsUnknown() throws {
        for wording in SessionWording.both {
            var device = try wording.device()
            try wording.offer(&device, "Z", "5", new: "2")
            _ = device.message3Received(try wording.message3("Z", "2"))
            let stored = device.record
            _ = device.stored(now: now)
            _ = device.executed(.notDone)
            #expect(device.storageFailed() == .answer(.unknown))
            for var device in [device, try wording.device(stored)] {
                #expect(device.stateNumber == 0)
                #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.unknown))
                #expect(device.message3Received(try wording.message3("Z", "2")) == .answer(.unknown))
                // Who is told "unknown" goes on from the new identifiers.
                try wording.complete(&device, "Y", "2", new: "3")
            }
        }
    }
}
