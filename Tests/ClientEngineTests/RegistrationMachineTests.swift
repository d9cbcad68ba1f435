import ClientEngine
import CoAPMessages
import LwM2MModel
import Primitives
import Testing

@Suite("Core 1.2.2 §6.2 RegistrationMachine")
struct RegistrationMachineTests {
    static let here = RegistrationLocation(segments: ["rd", "7"])

    static func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime.zero.advanced(by: .seconds(seconds)) }

    static func machine(
        lifetime: UInt32 = 300,
        configure: (inout RegistrationParameters) -> Void = { _ in }
    ) -> RegistrationMachine {
        let account = ServerAccount(instance: 0, shortServerID: 1, lifetime: lifetime)
        var parameters = RegistrationParameters(account, hasBootstrapAccount: false)
        configure(&parameters)
        return RegistrationMachine(parameters: parameters, version: .v1_1)
    }

    static func registered(lifetime: UInt32 = 300) -> RegistrationMachine {
        var machine = Self.machine(lifetime: lifetime)
        _ = machine.start(now: .zero)
        _ = machine.sessionOpened(now: .zero)
        _ = machine.created(location: Self.here, now: .zero)
        return machine
    }

    @Test("§6.2.2: Update is sent before the lifetime ends")
    func updatesBeforeTheLifetimeEnds() throws {
        let location = try #require(Self.here)
        var machine = Self.machine()
        #expect(machine.start(now: .zero) == .connect)
        #expect(machine.sessionOpened(now: Self.at(1)) == .sendRegister(.v1_1))
        #expect(machine.created(location: location, now: Self.at(2)) == .reportRegistered(since: Self.at(1)))
        #expect(machine.nextDeadline == Self.at(209))
        #expect(machine.deadlineReached(now: Self.at(208)) == .none)
        #expect(machine.deadlineReached(now: Self.at(209)) == .sendUpdate(location, []))
        #expect(machine.updated(now: Self.at(210)) == .reportUpdated(since: Self.at(209)))
        #expect(machine.nextDeadline == Self.at(417))
    }

    @Test(
        "RFC 7252 §4.8.2: the margin is MAX_TRANSMIT_WAIT, and half of a short lifetime",
        arguments: [(300, 207), (86_400, 86_307), (186, 93), (60, 30), (1, 0)] as [(UInt32, Int64)]
    )
    func leavesTimeForRetransmission(lifetime: UInt32, seconds: Int64) {
        let due = Self.registered(lifetime: lifetime).nextDeadline
        #expect(due == (lifetime == 1 ? MonotonicTime(nanoseconds: 500_000_000) : Self.at(seconds)))
    }

    @Test("§6.2.1: a lifetime of 0 never ends")
    func neverUpdatesALifetimeOfZero() {
        #expect(Self.registered(lifetime: 0).nextDeadline == nil)
    }

    @Test("§6.2.2: 4.04 to Update registers again over the same session")
    func registersAgainWhenTheServerForgot() throws {
        var machine = Self.registered()
        _ = machine.deadlineReached(now: Self.at(300))
        #expect(machine.refused(.notFound, now: Self.at(301)) == .sendRegister(.v1_1))
        #expect(machine.location == nil)
        #expect(machine.created(location: Self.here, now: Self.at(302)) == .reportRegistered(since: Self.at(301)))
    }

    @Test("§6.2.1: 4.12 is answered with the next lower version, down to 1.0")
    func lowersTheVersion() {
        var machine = Self.machine()
        _ = machine.start(now: .zero)
        _ = machine.sessionOpened(now: .zero)
        #expect(machine.refused(.preconditionFailed, now: .zero) == .sendRegister(.v1_0))
        #expect(machine.refused(.preconditionFailed, now: .zero) == .reportFailed(.rejected(.preconditionFailed)))
    }

    @Test("E.2, resources 17 and 18: five attempts, the pause doubling from 60 s, then the end")
    func retriesAndGivesUp() {
        var machine = Self.machine()
        var now = MonotonicTime.zero
        #expect(machine.start(now: now) == .connect)
        for pause in [60, 120, 240, 480] as [Int64] {
            #expect(machine.sessionLost(.unreachable, jitter: 0, now: now) == .reportFailed(.session(.unreachable)))
            #expect(machine.nextDeadline == now.advanced(by: .seconds(pause)))
            now = now.advanced(by: .seconds(pause))
            #expect(machine.deadlineReached(now: now) == .connect)
        }
        #expect(machine.sessionLost(.unreachable, jitter: 0, now: now) == .giveUp(.session(.unreachable)))
        #expect(machine.nextDeadline == nil)
        #expect(machine.hasFailed)
    }

    @Test("E.2, resources 19 and 20: another sequence follows after its delay")
    func runsSeveralSequences() {
        var machine = Self.machine {
            $0.retryCount = 2
            $0.sequenceCount = 2
            $0.sequenceDelay = 1000
        }
        _ = machine.start(now: .zero)
        #expect(machine.sessionLost(.closed, jitter: 0, now: .zero) == .reportFailed(.session(.closed)))
        #expect(machine.deadlineReached(now: Self.at(60)) == .connect)
        #expect(machine.sessionLost(.closed, jitter: 0, now: Self.at(60)) == .reportFailed(.session(.closed)))
        #expect(machine.nextDeadline == Self.at(1060))
        #expect(machine.deadlineReached(now: Self.at(1060)) == .connect)
        #expect(machine.sessionLost(.closed, jitter: 0, now: Self.at(1060)) == .reportFailed(.session(.closed)))
        #expect(machine.deadlineReached(now: Self.at(1120)) == .connect)
        #expect(machine.sessionLost(.closed, jitter: 0, now: Self.at(1120)) == .giveUp(.session(.closed)))
    }

    @Test("A success begins the counters anew")
    func resetsTheCountersAfterSuccess() {
        var machine = Self.machine { $0.retryCount = 2 }
        _ = machine.start(now: .zero)
        _ = machine.sessionLost(.closed, jitter: 0, now: .zero)
        _ = machine.deadlineReached(now: Self.at(60))
        _ = machine.sessionOpened(now: Self.at(60))
        _ = machine.created(location: Self.here, now: Self.at(60))
        _ = machine.deadlineReached(now: Self.at(300))
        #expect(machine.unanswered(.timedOut, now: Self.at(393)) == .reconnect(.request(.timedOut)))
        #expect(
            machine.sessionLost(.unreachable, jitter: 0, now: Self.at(394)) == .reportFailed(.session(.unreachable))
        )
        #expect(machine.nextDeadline == Self.at(454))
    }

    @Test("E.2, resource 14: the first Register waits for the initial delay")
    func waitsInitially() {
        var machine = Self.machine { $0.initialDelay = 30 }
        #expect(machine.start(now: .zero) == .none)
        #expect(machine.nextDeadline == Self.at(30))
        #expect(machine.deadlineReached(now: Self.at(30)) == .connect)
    }

    @Test("E.2, resource 16: a refusal ends the attempts only where bootstrap follows")
    func givesUpWhenRefusedBeforeBootstrap() {
        for (fallsBack, expected) in [
            (true, RegistrationMachine.Action.giveUp(.rejected(.forbidden))),
            (false, .reportFailed(.rejected(.forbidden))),
        ] {
            var machine = Self.machine { $0.fallsBackToBootstrap = fallsBack }
            _ = machine.start(now: .zero)
            _ = machine.sessionOpened(now: .zero)
            #expect(machine.refused(.forbidden, now: .zero) == expected)
        }
    }

    @Test("Changes during a running request are told right after it")
    func remembersChangesMadeMeanwhile() throws {
        let location = try #require(Self.here)
        var machine = Self.machine()
        _ = machine.start(now: .zero)
        _ = machine.sessionOpened(now: .zero)
        #expect(machine.changed(.objects, now: .zero) == .none)
        _ = machine.created(location: location, now: Self.at(1))
        #expect(machine.nextDeadline == Self.at(1))
        #expect(machine.deadlineReached(now: Self.at(1)) == .sendUpdate(location, .objects))
        _ = machine.changed(.lifetime, now: Self.at(1))
        _ = machine.updated(now: Self.at(2))
        #expect(machine.deadlineReached(now: Self.at(2)) == .sendUpdate(location, .lifetime))
    }

    @Test("A refresh during a running Register makes no second one")
    func doesNotRegisterTwice() {
        var machine = Self.machine()
        _ = machine.start(now: .zero)
        _ = machine.sessionOpened(now: .zero)
        #expect(machine.updateRequested(now: .zero) == .none)
        #expect(machine.start(now: .zero) == .none)
        _ = machine.created(location: Self.here, now: .zero)
        #expect(machine.nextDeadline == Self.at(207))
    }

    @Test("A lost session connects again within 10 s and sends what the lost Update named")
    func updatesAfterTheSessionIsLost() throws {
        let location = try #require(Self.here)
        var machine = Self.registered()
        _ = machine.changed(.objects, now: Self.at(5))
        #expect(machine.deadlineReached(now: Self.at(5)) == .sendUpdate(location, .objects))
        #expect(machine.sessionLost(.closed, jitter: 0.5, now: Self.at(6)) == .none)
        #expect(machine.nextDeadline == Self.at(11))
        #expect(machine.deadlineReached(now: Self.at(11)) == .connect)
        #expect(machine.sessionOpened(now: Self.at(12)) == .sendUpdate(location, .objects))
    }

    @Test("E.2, resources 4 and 5: Disable deregisters and comes back after the timeout")
    func disables() throws {
        let location = try #require(Self.here)
        var machine = Self.registered()
        #expect(machine.disable(seconds: 100, now: Self.at(10)) == .sendDeregister(location))
        #expect(machine.deleted(now: Self.at(20)) == .reportDeregistered)
        #expect(machine.nextDeadline == Self.at(110))
        #expect(machine.deadlineReached(now: Self.at(110)) == .connect)
        #expect(machine.sessionOpened(now: Self.at(110)) == .sendRegister(.v1_1))
    }

    @Test("Disable during Register or Update cancels it")
    func disableCancelsWhatRuns() throws {
        let location = try #require(Self.here)
        var registering = Self.machine()
        _ = registering.start(now: .zero)
        _ = registering.sessionOpened(now: .zero)
        #expect(registering.disable(seconds: 100, now: .zero) == .disconnect)
        #expect(registering.created(location: location, now: .zero) == .none)
        #expect(registering.nextDeadline == Self.at(100))
        var updating = Self.registered()
        _ = updating.deadlineReached(now: Self.at(300))
        #expect(updating.disable(seconds: 100, now: Self.at(300)) == .sendDeregister(location))
        #expect(updating.deleted(now: Self.at(301)) == .reportDeregistered)
    }

    @Test("Nothing but its time ends a suspension, also one that began while Disable ran")
    func suspends() throws {
        let location = try #require(Self.here)
        var machine = Self.registered()
        #expect(machine.suspend(seconds: 100, now: Self.at(10)) == .sendDeregister(location))
        #expect(machine.isSuspended)
        #expect(machine.deleted(now: Self.at(20)) == .reportDeregistered)
        #expect(machine.updateRequested(now: Self.at(30)) == .none)
        #expect(machine.start(now: Self.at(30)) == .none)
        #expect(machine.nextDeadline == Self.at(110))
        #expect(machine.deadlineReached(now: Self.at(110)) == .connect)
        #expect(!machine.isSuspended)

        var disabled = Self.registered()
        _ = disabled.disable(seconds: 50, now: Self.at(10))
        #expect(disabled.suspend(seconds: 100, now: Self.at(20)) == .none, "Deregister is under way")
        #expect(disabled.unanswered(.timedOut, now: Self.at(103)) == .reportNotDeregistered(.request(.timedOut)))
        #expect(disabled.nextDeadline == Self.at(120))
    }

    @Test("Stopping during Register deregisters what the answer names")
    func stopsWhileRegistering() throws {
        let location = try #require(Self.here)
        var machine = Self.machine()
        _ = machine.start(now: .zero)
        _ = machine.sessionOpened(now: .zero)
        #expect(machine.stop() == .none)
        _ = machine.created(location: location, now: Self.at(1))
        #expect(machine.deadlineReached(now: Self.at(1)) == .sendDeregister(location))
        #expect(machine.deleted(now: Self.at(20)) == .reportDeregistered)
        #expect(machine.hasStopped)
    }

    @Test("An answer to Register without a location is a failed attempt")
    func needsALocation() {
        var machine = Self.machine()
        _ = machine.start(now: .zero)
        _ = machine.sessionOpened(now: .zero)
        #expect(machine.created(location: nil, now: .zero) == .reportFailed(.malformedAnswer))
    }

    @Test("A retry timer of any size does not overflow")
    func survivesHugeTimers() {
        var machine = Self.machine {
            $0.retryTimer = .max
            $0.retryCount = .max
        }
        _ = machine.start(now: .zero)
        for _ in 0..<100 {
            _ = machine.sessionLost(.closed, jitter: 0, now: .zero)
            _ = machine.deadlineReached(now: MonotonicTime(nanoseconds: .max))
        }
        #expect(!machine.hasFailed)
    }

    // MARK: Every state and every event

    enum StateName: String, CaseIterable {
        case idle, waiting, connecting, registering, registered, updating, deregistering, stopped, failed
    }

    enum EventName: String, CaseIterable {
        case start, opened, lost, created, updated, refused, unanswered, deleted
        case changed, requested, disable, suspend, stop, deadline
    }

    static func machine(in state: StateName) -> RegistrationMachine {
        var machine = Self.machine { $0.retryCount = 2 }
        switch state {
        case .idle: break
        case .waiting:
            _ = machine.start(now: .zero)
            _ = machine.sessionLost(.closed, jitter: 0, now: .zero)
        case .connecting: _ = machine.start(now: .zero)
        case .registering:
            _ = machine.start(now: .zero)
            _ = machine.sessionOpened(now: .zero)
        case .registered: machine = Self.registered()
        case .updating:
            machine = Self.registered()
            _ = machine.deadlineReached(now: Self.at(1000))
        case .deregistering:
            machine = Self.registered()
            _ = machine.disable(seconds: 50, now: .zero)
        case .stopped: _ = machine.stop()
        case .failed:
            machine.parameters.fallsBackToBootstrap = true
            _ = machine.start(now: .zero)
            _ = machine.sessionOpened(now: .zero)
            _ = machine.refused(.forbidden, now: .zero)
        }
        return machine
    }

    static func perform(_ event: EventName, on machine: inout RegistrationMachine) -> RegistrationMachine.Action {
        let now = Self.at(1000)
        return switch event {
        case .start: machine.start(now: now)
        case .opened: machine.sessionOpened(now: now)
        case .lost: machine.sessionLost(.closed, jitter: 0, now: now)
        case .created: machine.created(location: Self.here, now: now)
        case .updated: machine.updated(now: now)
        case .refused: machine.refused(.internalServerError, now: now)
        case .unanswered: machine.unanswered(.timedOut, now: now)
        case .deleted: machine.deleted(now: now)
        case .changed: machine.changed(.objects, now: now)
        case .requested: machine.updateRequested(now: now)
        case .disable: machine.disable(seconds: 10, now: now)
        case .suspend: machine.suspend(seconds: 10, now: now)
        case .stop: machine.stop()
        case .deadline: machine.deadlineReached(now: now)
        }
    }

    /// The action of every pair that is not `.none`.
    static func expected(_ state: StateName, _ event: EventName) -> RegistrationMachine.Action {
        guard let here = Self.here else { return .none }
        let event = event == .suspend ? EventName.disable : event
        let late = Self.at(1000)
        return switch (state, event) {
        case (.idle, .start), (.failed, .start), (.failed, .requested), (.waiting, .deadline): .connect
        case (.connecting, .opened): .sendRegister(.v1_1)
        case (.connecting, .lost), (.registering, .lost): .reportFailed(.session(.closed))
        case (.deregistering, .deleted): .reportDeregistered
        case (.deregistering, .lost): .reportNotDeregistered(.session(.closed))
        case (.deregistering, .refused): .reportNotDeregistered(.rejected(.internalServerError))
        case (.deregistering, .unanswered): .reportNotDeregistered(.request(.timedOut))
        case (.registering, .created): .reportRegistered(since: .zero)
        case (.updating, .updated): .reportUpdated(since: late)
        case (.registering, .refused): .reportFailed(.rejected(.internalServerError))
        case (.registering, .updated): .reportFailed(.rejected(.changed))
        case (.registering, .deleted): .reportFailed(.rejected(.deleted))
        case (.updating, .refused), (.updating, .created), (.updating, .deleted): .sendRegister(.v1_1)
        case (.deregistering, .created): .reportNotDeregistered(.rejected(.created))
        case (.deregistering, .updated): .reportNotDeregistered(.rejected(.changed))
        case (.registering, .unanswered): .reportFailed(.request(.timedOut))
        case (.updating, .unanswered): .reconnect(.request(.timedOut))
        case (.registered, .disable), (.updating, .disable), (.registered, .stop), (.updating, .stop):
            .sendDeregister(here)
        case (.connecting, .disable), (.registering, .disable), (.waiting, .disable), (.idle, .stop),
            (.waiting, .stop), (.connecting, .stop), (.failed, .stop):
            .disconnect
        case (.registered, .deadline): .sendUpdate(here, [])
        default: .none
        }
    }

    @Test("Every event in every state", arguments: StateName.allCases, EventName.allCases)
    func considersEveryPair(state: StateName, event: EventName) {
        var machine = Self.machine(in: state)
        #expect(Self.perform(event, on: &machine) == Self.expected(state, event))
    }
}
