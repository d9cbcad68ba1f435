import BootstrapURIs
import ClientEngine
import CoAPMessages
import Primitives
import Testing

@Suite("Where bootstrap looks for the server: BootstrapNameMachine")
struct BootstrapNameMachineTests {
    static let first = TimeWindow(stamp: 3600)
    static let second = TimeWindow(stamp: 7200)

    static func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime.zero.advanced(by: .seconds(seconds)) }

    @Test("The neighbour's name follows one without a record; the first that a server takes ends the search")
    func triesTheNeighbour() {
        var machine = BootstrapNameMachine()
        #expect(machine.begin([Self.first, Self.second], fallsBack: false) == .open(Self.first))
        #expect(machine.failed(.session(.nameNotFound)) == .open(Self.second))
        machine.settled()
        #expect(machine.failed(.session(.closed)) == .fail(.session(.closed)))
        #expect(machine.nextDeadline == nil)
    }

    @Test("Without any record the attempt fails, or goes on at the static URI when the profile says so")
    func failsWithoutANameOrFallsBack() {
        for fallsBack in [false, true] {
            var machine = BootstrapNameMachine()
            _ = machine.begin([Self.first, Self.second], fallsBack: fallsBack)
            _ = machine.failed(.session(.nameNotFound))
            #expect(machine.failed(.session(.nameNotFound)) == (fallsBack ? .open(nil) : .fail(.noName)))
            #expect(machine.failed(.session(.nameNotFound)) == .fail(.session(.nameNotFound)))
        }
    }

    @Test("Without a clock the attempt fails, or begins at the static URI when the profile says so")
    func needsAClockOrFallsBack() {
        var machine = BootstrapNameMachine()
        #expect(machine.begin([], fallsBack: false) == .fail(.clockUnknown))
        #expect(machine.begin([], fallsBack: true) == .open(nil))
        #expect(machine.failed(.session(.unreachable)) == .fail(.session(.unreachable)))
    }

    @Test(
        "A resolver that cannot say, a host that is silent and a 4.03 lead to the neighbour, never to the static URI",
        arguments: [
            BootstrapFailure.session(.nameResolutionFailed), .session(.unreachable), .session(.handshakeRefused),
            .request(.timedOut), .rejected(.forbidden),
        ]
    )
    func doesNotFallBackFromAFailure(failure: BootstrapFailure) {
        var machine = BootstrapNameMachine()
        _ = machine.begin([Self.first, Self.second], fallsBack: true)
        #expect(machine.failed(failure) == .open(Self.second))
        #expect(machine.failed(.session(.nameNotFound)) == .fail(failure))
        _ = machine.begin([Self.first, Self.second], fallsBack: true)
        #expect(machine.failed(.session(.nameNotFound)) == .open(Self.second))
        #expect(machine.failed(failure) == .fail(failure))
    }

    @Test("What another name would not change ends the attempt at once")
    func failsAtOnceWhenNoNameHelps() {
        for failure in [BootstrapFailure.rejected(.badRequest), .derivation, .unusableAccount] {
            var machine = BootstrapNameMachine()
            _ = machine.begin([Self.first, Self.second], fallsBack: true)
            #expect(machine.failed(failure) == .fail(failure))
        }
    }

    @Test("RFC 7252 §5.9.3.4: after 5.03 with Max-Age the same name is resolved anew; what fails meanwhile is old")
    func holds() {
        var machine = BootstrapNameMachine()
        _ = machine.begin([Self.first, Self.second], fallsBack: false)
        #expect(machine.held(maxAge: 40, jitter: 0.5, now: .zero) == .hold(seconds: 40))
        #expect(machine.nextDeadline == Self.at(45))
        #expect(machine.failed(.session(.closed)) == .none)
        #expect(machine.deadlineReached(now: Self.at(44)) == .none)
        #expect(machine.deadlineReached(now: Self.at(45)) == .reopen)
        #expect(machine.nextDeadline == nil)
        #expect(machine.failed(.session(.nameNotFound)) == .open(Self.second))
    }

    @Test("A name that is gone after a wait did have a record: another attempt follows, and not the static URI")
    func doesNotFallBackAfterAWait() {
        var machine = BootstrapNameMachine()
        _ = machine.begin([Self.first], fallsBack: true)
        _ = machine.held(maxAge: 3600, jitter: 0, now: .zero)
        #expect(machine.deadlineReached(now: Self.at(3600)) == .reopen)
        #expect(machine.failed(.session(.nameNotFound)) == .fail(.session(.nameNotFound)))
        _ = machine.begin([Self.second], fallsBack: true)
        #expect(machine.failed(.session(.nameNotFound)) == .open(nil))
    }

    @Test(
        "A wait is 1 to 3600 seconds, whatever the server says",
        arguments: [(0, 1), (1, 1), (.max, 3600)] as [(UInt64, UInt32)]
    )
    func boundsAWait(maxAge: UInt64, seconds: UInt32) {
        var machine = BootstrapNameMachine()
        _ = machine.begin([Self.first], fallsBack: false)
        #expect(machine.held(maxAge: maxAge, jitter: 0, now: .zero) == .hold(seconds: seconds))
        #expect(machine.nextDeadline == Self.at(Int64(seconds)))
    }

    @Test("A server may ask for patience 100 times in one attempt, and anew in the next")
    func boundsTheNumberOfHolds() {
        var machine = BootstrapNameMachine()
        for _ in 0..<2 {
            var now = MonotonicTime.zero
            _ = machine.begin([Self.first, Self.second], fallsBack: true)
            for _ in 0..<100 {
                #expect(machine.held(maxAge: 10, jitter: 0, now: now) == .hold(seconds: 10))
                now = now.advanced(by: .seconds(10))
                #expect(machine.deadlineReached(now: now) == .reopen)
            }
            #expect(machine.held(maxAge: 10, jitter: 0, now: now) == .fail(.rejected(.serviceUnavailable)))
        }
    }

    @Test("Only so many windows are tried, however many there are")
    func boundsTheWindows() {
        var machine = BootstrapNameMachine()
        var action = machine.begin((0..<1000).map { TimeWindow(stamp: $0) }, fallsBack: false)
        var tried: [TimeWindow?] = []
        while case .open(let window) = action {
            tried.append(window)
            action = machine.failed(.session(.nameNotFound))
        }
        #expect(tried == [TimeWindow(stamp: 0), TimeWindow(stamp: 1), TimeWindow(stamp: 2)])
    }

    // MARK: Every state and every event

    enum StateName: CaseIterable {
        case idle, trying, tryingLast, atStaticURI, holding
    }

    enum EventName: CaseIterable {
        case begin, beginAtStaticURI, noRecord, unreachable, refused, held, early, deadline, settled
    }

    static func machine(in state: StateName) -> BootstrapNameMachine {
        var machine = BootstrapNameMachine()
        switch state {
        case .idle: break
        case .trying: _ = machine.begin([Self.first, Self.second], fallsBack: false)
        case .tryingLast: _ = machine.begin([Self.first], fallsBack: false)
        case .atStaticURI: _ = machine.begin([], fallsBack: true)
        case .holding:
            _ = machine.begin([Self.first], fallsBack: false)
            _ = machine.held(maxAge: 10, jitter: 0, now: .zero)
        }
        return machine
    }

    static func perform(
        _ event: EventName,
        on machine: inout BootstrapNameMachine
    ) -> BootstrapNameMachine.Action {
        switch event {
        case .begin: return machine.begin([Self.second], fallsBack: false)
        case .beginAtStaticURI: return machine.beginAtStaticURI()
        case .noRecord: return machine.failed(.session(.nameNotFound))
        case .unreachable: return machine.failed(.session(.unreachable))
        case .refused: return machine.failed(.rejected(.badRequest))
        case .held: return machine.held(maxAge: 60, jitter: 0, now: Self.at(5))
        case .early: return machine.deadlineReached(now: Self.at(9))
        case .deadline: return machine.deadlineReached(now: Self.at(10))
        case .settled:
            machine.settled()
            return .none
        }
    }

    static func expected(_ state: StateName, _ event: EventName) -> BootstrapNameMachine.Action {
        switch (state, event) {
        case (_, .begin): .open(Self.second)
        case (_, .beginAtStaticURI): .open(nil)
        case (_, .settled), (_, .early): .none
        case (.holding, .deadline): .reopen
        case (_, .deadline): .none
        case (.trying, .noRecord), (.trying, .unreachable): .open(Self.second)
        case (.tryingLast, .noRecord): .fail(.noName)
        case (.idle, .noRecord), (.atStaticURI, .noRecord): .fail(.session(.nameNotFound))
        case (.idle, .unreachable), (.tryingLast, .unreachable), (.atStaticURI, .unreachable):
            .fail(.session(.unreachable))
        case (.holding, _): .none
        case (_, .refused): .fail(.rejected(.badRequest))
        case (.idle, .held): .none
        case (.trying, .held), (.tryingLast, .held), (.atStaticURI, .held): .hold(seconds: 60)
        }
    }

    @Test("Every event in every state", arguments: StateName.allCases, EventName.allCases)
    func considersEveryPair(state: StateName, event: EventName) {
        var machine = Self.machine(in: state)
        #expect(Self.perform(event, on: &machine) == Self.expected(state, event))
        let holds = (state == .holding && [.noRecord, .unreachable, .refused, .held, .early].contains(event))
        #expect((machine.nextDeadline != nil) == (holds || event == .held && state != .idle))
    }
}
