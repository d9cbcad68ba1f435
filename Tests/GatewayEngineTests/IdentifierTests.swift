import CoAPMessages
import CommandSessions
import GatewayEngine
import LwM2MModel
import Primitives
import Testing

/// Identifiers that device and gateway were given beforehand.
@Suite struct IdentifierTests {
    private func identifier(_ byte: UInt8) throws -> SessionIdentifier {
        try #require(SessionIdentifier(bytes: Array(repeating: byte, count: 16)))
    }

    private func pair() throws -> SessionPair {
        SessionPair(gsid: try self.identifier(7), dsid: try self.identifier(8))
    }

    /// A device that was given them at manufacture.
    private func device() throws -> BenchDevice {
        var device = BenchDevice()
        let pair = try self.pair()
        device.machine = DeviceSessionMachine(
            form: .bothIdentifiers,
            record: DeviceSessionRecord(
                gsid: IdentifierCache(established: pair.gsid),
                dsid: IdentifierCache(established: pair.dsid)
            )
        )
        return device
    }

    private func given(_ pair: SessionPair, to endpoint: UTF8Text = Bench.device) -> GatewayEvent {
        .identifiersGiven(endpoint: endpoint, pair, user: "op")
    }

    @Test(arguments: [false, true]) func theFirstSessionBeginsWithThemAlsoBehindARestart(_ restarts: Bool) throws {
        let bench = Bench()
        var device = try self.device()
        #expect(bench.run(self.given(try self.pair())).identifierAnswers == [.done])
        #expect(bench.status?.hasIdentifiers == true)
        #expect(bench.status?.isAvailable == false, "the device need not be there")
        if restarts { _ = bench.restart() }
        try bench.give()
        let outputs = try bench.exchange(bench.appear(), with: &device)
        #expect(outputs.resources == [0, 1, 2])
        #expect(outputs.outcomes == [.done(.changed)])
        #expect(bench.audit.first == AuditEntry(endpoint: Bench.device, what: .identifiersGiven, user: "op"))
        #expect(try bench.exchange(try bench.give(), with: &device).outcomes == [.done(.changed)])
    }

    @Test func withoutThemTheDeviceRefusesAndWithThemItIsServed() throws {
        let bench = Bench()
        var device = try self.device()
        _ = bench.appear()
        let refused = try bench.exchange(try bench.give(), with: &device)
        #expect(refused.outcomes == [.notDone(.refused(.forbidden))])
        #expect(bench.run(self.given(try self.pair())).identifierAnswers == [.done])
        #expect(try bench.exchange(try bench.give(), with: &device).outcomes == [.done(.changed)])
    }

    @Test func theyTakeThePlaceOfNoOthers() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        try bench.exchange(try bench.give(), with: &device)
        let before = bench.snapshot
        #expect(bench.run(self.given(try self.pair())).identifierAnswers == [.alreadyKnown])
        // Nor while a session that has some is in progress.
        let under = try bench.give()
        #expect(bench.run(self.given(try self.pair())).identifierAnswers == [.alreadyKnown])
        #expect(try bench.exchange(under, with: &device).outcomes == [.done(.changed)])
        #expect(before.sessions.count == 1)
        #expect(!bench.audit.map(\.what).contains(.identifiersGiven))
        _ = bench.run(.sessionReset(endpoint: Bench.device, isForced: false, user: "op"))
        #expect(bench.run(self.given(try self.pair())).identifierAnswers == [.done])
        #expect(
            bench.run(self.given(try self.pair())).identifierAnswers == [.alreadyKnown],
            "nor of those that were given"
        )
        device = try self.device()
        #expect(try bench.exchange(try bench.give(), with: &device).outcomes == [.done(.changed)])
    }

    @Test func aFirstSessionInProgressEndsBefore() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        let begun = try bench.give()
        #expect(bench.run(self.given(try self.pair())).identifierAnswers == [.inProgress])
        #expect(try bench.exchange(begun, with: &device).outcomes == [.done(.changed)])
    }

    @Test func behindAMessageWithoutThemTheQuietTimeIsKeptAlsoBehindARestart() throws {
        let bench = Bench()
        var device = try self.device()
        _ = bench.appear()
        try bench.exchange(try bench.give(), with: &device) { $0.resource == 0 }
        #expect(bench.run(self.given(try self.pair())).identifierAnswers == [.done])
        _ = bench.restart()
        #expect(bench.appear(isNewSession: false).operations.isEmpty)
        #expect(try bench.exchange(bench.wait(.seconds(100)), with: &device).outcomes == [.done(.changed)])
    }

    @Test func theyAreUsedOnceTheyAreDurable() throws {
        let bench = Bench()
        var device = try self.device()
        _ = bench.appear()
        let outputs = bench.tell(self.given(try self.pair()))
        #expect(outputs.identifierAnswers.isEmpty)
        #expect(bench.tell(self.given(try self.pair())).identifierAnswers == [.storing])
        let reset = bench.tell(.sessionReset(endpoint: Bench.device, isForced: true, user: "op"))
        #expect(reset.answers == [.storing])
        #expect(try bench.give().operations.isEmpty, "no session begins before")
        let stored = try bench.exchange(bench.settle(outputs), with: &device)
        #expect(stored.identifierAnswers == [.done])
        #expect(stored.outcomes == [.done(.changed)])
    }

    @Test func whatCannotBeStoredIsNotTaken() throws {
        let bench = Bench()
        var device = BenchDevice()
        bench.isStoreBroken = true
        #expect(bench.run(self.given(try self.pair())).identifierAnswers == [.notStored])
        #expect(bench.engine.deviceCount == 0)
        bench.isStoreBroken = false
        #expect(bench.snapshot.sessions.isEmpty)
        _ = bench.appear()
        #expect(try bench.exchange(try bench.give(), with: &device).outcomes == [.done(.changed)])
    }

    @Test func theyAreThoseOfTheForm() throws {
        let both = Bench()
        let short = Bench { $0.form = .deviceIdentifier }
        let dsid = SessionPair(gsid: nil, dsid: try self.identifier(8))
        #expect(both.run(self.given(dsid)).identifierAnswers == [.wrongForm])
        #expect(short.run(self.given(try self.pair())).identifierAnswers == [.wrongForm])
        #expect(both.engine.deviceCount == 0)
        #expect(short.run(self.given(dsid)).identifierAnswers == [.done])
        var device = try self.device()
        device.machine.form = .deviceIdentifier
        _ = short.appear()
        #expect(try short.exchange(try short.give(), with: &device).outcomes == [.done(.changed)])
    }

    @Test func thereIsABoundForDevices() throws {
        let bench = Bench { $0.maximumDevices = 2 }
        for name in ["a", "b"] as [UTF8Text] {
            #expect(bench.run(self.given(try self.pair(), to: name)).identifierAnswers == [.done])
        }
        #expect(bench.run(self.given(try self.pair(), to: "c")).identifierAnswers == [.tooManyDevices])
        _ = bench.run(.sessionReset(endpoint: "a", isForced: false, user: "op"))
        #expect(bench.run(self.given(try self.pair(), to: "c")).identifierAnswers == [.done])
    }
}

extension [GatewayOutput] {
    var identifierAnswers: [IdentifiersAnswer] {
        self.compactMap { if case .identifiersAnswered(_, let answer) = $0 { answer } else { nil } }
    }
}
