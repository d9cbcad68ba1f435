import ClientEngine
import CoAPMessages
import Primitives
import Testing

@Suite("Core 1.2.2 §6.1 BootstrapMachine")
struct BootstrapMachineTests {
    static func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime.zero.advanced(by: .seconds(seconds)) }

    @Test("§6.1.5.1: request, delivery, Finish; what was delivered is stored before Finish is answered")
    func bootstraps() {
        var machine = BootstrapMachine()
        #expect(machine.start(holdOff: .zero, jitter: 0, now: .zero) == .connect)
        #expect(machine.sessionOpened(now: Self.at(1)) == .sendRequest)
        #expect(machine.accepted(now: Self.at(2)) == .none)
        #expect(machine.acceptsOperations)
        #expect(machine.operationReceived(now: Self.at(3)) == .none)
        #expect(machine.finishReceived(isConsistent: true, jitter: 0, now: Self.at(4)) == .store)
        #expect(!machine.acceptsOperations)
        #expect(machine.stored() == .finish(since: Self.at(1)))
        #expect(!machine.isActive)
        #expect(machine.nextDeadline == nil)
    }

    @Test("E.1, resource 11: the hold-off passes first, and up to a quarter more")
    func holdsOff() {
        for (jitter, seconds) in [(0.0, 40), (0.5, 45), (1.0, 50)] as [(Double, Int64)] {
            var machine = BootstrapMachine()
            #expect(machine.start(holdOff: .seconds(40), jitter: jitter, now: .zero) == .none)
            #expect(machine.nextDeadline == Self.at(seconds))
            #expect(machine.deadlineReached(jitter: 0, now: Self.at(seconds - 1)) == .none)
            #expect(machine.deadlineReached(jitter: 0, now: Self.at(seconds)) == .connect)
        }
    }

    @Test("The server may deliver before its answer to the request arrives")
    func acceptsOperationsBeforeTheAnswer() {
        var machine = BootstrapMachine()
        _ = machine.start(holdOff: .zero, jitter: 0, now: .zero)
        _ = machine.sessionOpened(now: .zero)
        #expect(machine.acceptsOperations)
        _ = machine.operationReceived(now: .zero)
        #expect(machine.accepted(now: Self.at(1)) == .none)
        #expect(machine.finishReceived(isConsistent: true, jitter: 0, now: Self.at(1)) == .store)
    }

    @Test("§6.1.7.5: silence for EXCHANGE_LIFETIME is a failure; every operation gives time again")
    func failsWithoutFinish() {
        var machine = BootstrapMachine()
        _ = machine.start(holdOff: .zero, jitter: 0, now: .zero)
        _ = machine.sessionOpened(now: .zero)
        _ = machine.accepted(now: .zero)
        #expect(machine.nextDeadline == Self.at(247))
        _ = machine.operationReceived(now: Self.at(100))
        #expect(machine.deadlineReached(jitter: 0, now: Self.at(247)) == .none)
        #expect(machine.deadlineReached(jitter: 0, now: Self.at(347)) == .fail(.timedOut))
    }

    @Test("How long silence may last is up to the device")
    func failsAsSoonAsItIsTold() {
        var machine = BootstrapMachine(finishTimeout: .seconds(20))
        _ = machine.start(holdOff: .zero, jitter: 0, now: .zero)
        _ = machine.sessionOpened(now: .zero)
        _ = machine.accepted(now: .zero)
        _ = machine.operationReceived(now: Self.at(5))
        #expect(machine.nextDeadline == Self.at(25))
        #expect(machine.deadlineReached(jitter: 0, now: Self.at(25)) == .fail(.timedOut))
    }

    @Test("The pause between attempts doubles, is bounded, and begins anew after success")
    func backsOff() {
        var machine = BootstrapMachine()
        var now = MonotonicTime.zero
        _ = machine.start(holdOff: .zero, jitter: 0, now: now)
        for full in [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600] as [Int64] {
            #expect(machine.failed(.session(.unreachable), jitter: 1, now: now) == .fail(.session(.unreachable)))
            #expect(machine.isBackingOff)
            #expect(machine.nextDeadline == now.advanced(by: .seconds(full)))
            now = now.advanced(by: .seconds(full))
            #expect(machine.deadlineReached(jitter: 0, now: now) == .connect)
        }
        _ = machine.sessionOpened(now: now)
        _ = machine.finishReceived(isConsistent: true, jitter: 0, now: now)
        _ = machine.stored()
        _ = machine.start(holdOff: .zero, jitter: 0, now: now)
        _ = machine.failed(.session(.unreachable), jitter: 0, now: now)
        #expect(machine.nextDeadline == now.advanced(by: .seconds(5)))
    }

    @Test("A lost answer to the request does not end a delivery that has begun")
    func survivesALostAnswer() {
        var machine = BootstrapMachine()
        _ = machine.start(holdOff: .zero, jitter: 0, now: .zero)
        _ = machine.sessionOpened(now: .zero)
        _ = machine.operationReceived(now: .zero)
        #expect(machine.failed(.request(.timedOut), jitter: 0, now: Self.at(93)) == .none)
        #expect(machine.acceptsOperations)
        #expect(machine.failed(.session(.closed), jitter: 0, now: Self.at(94)) == .fail(.session(.closed)))
    }

    @Test("A request that another server is to get begins with a session again, until a server delivers")
    func isRedirected() {
        var machine = Self.machine(in: .requesting)
        #expect(machine.redirected() == .none)
        #expect(machine.isSeeking)
        #expect(machine.sessionOpened(now: Self.at(3)) == .sendRequest)
        _ = machine.operationReceived(now: Self.at(4))
        #expect(machine.redirected() == .none)
        #expect(!machine.isSeeking)
        #expect(machine.acceptsOperations)
    }

    // MARK: Every state and every event

    enum StateName: String, CaseIterable {
        case idle, holdingOff, connecting, requesting, delivering, storing, backingOff
    }

    enum EventName: String, CaseIterable {
        case start, opened, failed, accepted, operation, finish, badFinish, stored, storageFailed, deadline, redirected
    }

    static func machine(in state: StateName) -> BootstrapMachine {
        var machine = BootstrapMachine()
        if state == .idle { return machine }
        if state == .holdingOff {
            _ = machine.start(holdOff: .seconds(10), jitter: 0, now: .zero)
            return machine
        }
        _ = machine.start(holdOff: .zero, jitter: 0, now: .zero)
        if state == .connecting { return machine }
        if state == .backingOff {
            _ = machine.failed(.session(.closed), jitter: 0, now: .zero)
            return machine
        }
        _ = machine.sessionOpened(now: .zero)
        if state == .requesting { return machine }
        _ = machine.accepted(now: .zero)
        if state == .delivering { return machine }
        _ = machine.finishReceived(isConsistent: true, jitter: 0, now: .zero)
        return machine
    }

    static func perform(_ event: EventName, on machine: inout BootstrapMachine) -> BootstrapMachine.Action {
        let now = Self.at(5000)
        return switch event {
        case .start: machine.start(holdOff: .zero, jitter: 0, now: now)
        case .opened: machine.sessionOpened(now: now)
        case .failed: machine.failed(.session(.closed), jitter: 0, now: now)
        case .accepted: machine.accepted(now: now)
        case .operation: machine.operationReceived(now: now)
        case .finish: machine.finishReceived(isConsistent: true, jitter: 0, now: now)
        case .badFinish: machine.finishReceived(isConsistent: false, jitter: 0, now: now)
        case .stored: machine.stored()
        case .storageFailed: machine.storageFailed(jitter: 0, now: now)
        case .deadline: machine.deadlineReached(jitter: 0, now: now)
        case .redirected: machine.redirected()
        }
    }

    static func expected(_ state: StateName, _ event: EventName) -> BootstrapMachine.Action {
        switch (state, event) {
        case (.idle, .start), (.holdingOff, .deadline), (.backingOff, .deadline): .connect
        case (.connecting, .opened): .sendRequest
        case (.connecting, .failed), (.requesting, .failed), (.delivering, .failed): .fail(.session(.closed))
        case (.requesting, .finish), (.delivering, .finish): .store
        case (.requesting, .badFinish), (.delivering, .badFinish): .fail(.inconsistent)
        case (.storing, .stored): .finish(since: .zero)
        case (.storing, .storageFailed): .fail(.storage)
        case (.delivering, .deadline): .fail(.timedOut)
        default: .none
        }
    }

    @Test("Every event in every state", arguments: StateName.allCases, EventName.allCases)
    func considersEveryPair(state: StateName, event: EventName) {
        var machine = Self.machine(in: state)
        #expect(Self.perform(event, on: &machine) == Self.expected(state, event))
    }
}
