import ClientEngine
import LwM2MModel
import Primitives
import Testing

@Suite("Core 1.2.2 §7.3.2 ObservationMachine")
struct ObservationMachineTests {
    static func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime.zero.advanced(by: .seconds(seconds)) }

    static func attributes(
        pmin: UInt32? = nil,
        pmax: UInt32? = nil,
        gt: Double? = nil,
        lt: Double? = nil,
        st: Double? = nil
    ) -> NotificationAttributes {
        var attributes = NotificationAttributes()
        attributes.minimumPeriod = pmin
        attributes.maximumPeriod = pmax
        attributes.greaterThan = gt
        attributes.lessThan = lt
        attributes.step = st
        return attributes
    }

    @Test("Without attributes every change is notified at once, and nothing else is")
    func notifiesChanges() {
        var machine = ObservationMachine(number: 1, now: .zero)
        let none = NotificationAttributes()
        #expect(machine.nextDeadline(attributes: none) == nil)
        machine.changed(to: 2, attributes: none)
        #expect(
            machine.deadlineReached(attributes: none, confirms: false, now: Self.at(1)) == .notify(isConfirmable: false)
        )
        machine.notified(number: 2, isConfirmable: false, now: Self.at(1))
        #expect(machine.deadlineReached(attributes: none, confirms: false, now: Self.at(2)) == .none)
    }

    @Test("pmin: changes within it are gathered into one notification")
    func waitsForTheMinimumPeriod() {
        var machine = ObservationMachine(number: 1, now: .zero)
        let attributes = Self.attributes(pmin: 10)
        for second in 1...5 as ClosedRange<Int64> {
            machine.changed(to: Double(second), attributes: attributes)
            #expect(machine.deadlineReached(attributes: attributes, confirms: false, now: Self.at(second)) == .none)
        }
        #expect(machine.nextDeadline(attributes: attributes) == Self.at(10))
        #expect(
            machine.deadlineReached(attributes: attributes, confirms: false, now: Self.at(10))
                == .notify(isConfirmable: false)
        )
    }

    @Test("pmax: a notification comes without a change; one below pmin is ignored")
    func notifiesAfterTheMaximumPeriod() {
        let machine = ObservationMachine(number: 1, now: .zero)
        #expect(machine.nextDeadline(attributes: Self.attributes(pmax: 60)) == Self.at(60))
        #expect(machine.nextDeadline(attributes: Self.attributes(pmin: 30, pmax: 20)) == nil)
        #expect(machine.nextDeadline(attributes: Self.attributes(pmax: 0)) == nil)
    }

    static let crossings: [(old: Double, new: Double, attributes: NotificationAttributes, notifies: Bool)] = [
        (20, 25, Self.attributes(gt: 25), false), (20, 25.1, Self.attributes(gt: 25), true),
        (26, 27, Self.attributes(gt: 25), false), (26, 25, Self.attributes(gt: 25), true),
        (20, 15, Self.attributes(lt: 15), false), (20, 14.9, Self.attributes(lt: 15), true),
        (14, 13, Self.attributes(lt: 15), false), (14, 15, Self.attributes(lt: 15), true),
        (20, 20.9, Self.attributes(st: 1), false), (20, 21, Self.attributes(st: 1), true),
        (20, 19, Self.attributes(st: 1), true),
        (20, 22, Self.attributes(gt: 25, lt: 15, st: 5), false),
        (20, 26, Self.attributes(gt: 25, lt: 15, st: 50), true),
        (20, .nan, Self.attributes(gt: 25), false),
    ]

    @Test("gt, lt and st: crossed from either side, or moved by a step", arguments: crossings.indices)
    func notifiesWhenAConditionHolds(index: Int) {
        let row = Self.crossings[index]
        var machine = ObservationMachine(number: row.old, now: .zero)
        machine.changed(to: row.new, attributes: row.attributes)
        #expect((machine.nextDeadline(attributes: row.attributes) != nil) == row.notifies)
    }

    @Test("In flight the newest value waits for the acknowledgement, then goes")
    func sendsTheNewestValueAfterTheAcknowledgement() {
        var machine = ObservationMachine(number: 1, now: .zero)
        let none = NotificationAttributes()
        machine.changed(to: 2, attributes: none)
        #expect(
            machine.deadlineReached(attributes: none, confirms: true, now: Self.at(1)) == .notify(isConfirmable: true)
        )
        machine.notified(number: 2, isConfirmable: true, now: Self.at(1))
        machine.changed(to: 3, attributes: none)
        machine.changed(to: 4, attributes: none)
        #expect(machine.nextDeadline(attributes: none) == nil)
        machine.acknowledged(now: Self.at(3))
        #expect(
            machine.deadlineReached(attributes: none, confirms: true, now: Self.at(3)) == .notify(isConfirmable: true)
        )
    }

    @Test("RFC 7641 §4.5: a confirmable notification at least every 24 hours")
    func confirmsOnceADay() {
        var machine = ObservationMachine(number: 1, now: .zero)
        let attributes = Self.attributes(pmax: 43_200)
        #expect(
            machine.deadlineReached(attributes: attributes, confirms: false, now: Self.at(43_200))
                == .notify(isConfirmable: false)
        )
        machine.notified(number: 1, isConfirmable: false, now: Self.at(43_200))
        #expect(
            machine.deadlineReached(attributes: attributes, confirms: false, now: Self.at(86_400))
                == .notify(isConfirmable: true)
        )
        machine.notified(number: 1, isConfirmable: true, now: Self.at(86_400))
        machine.acknowledged(now: Self.at(86_400))
        #expect(
            machine.deadlineReached(attributes: attributes, confirms: false, now: Self.at(129_600))
                == .notify(isConfirmable: false)
        )
    }

    // MARK: Every state and every event

    enum StateName: String, CaseIterable {
        case quiet, due, inFlight, inFlightChanged
    }

    enum EventName: String, CaseIterable {
        case changed, deadline, notified, confirmed, acknowledged, dropped, repeated, lost
    }

    static func machine(in state: StateName) -> ObservationMachine {
        var machine = ObservationMachine(number: 1, now: .zero)
        if state == .due { machine.changed(to: 2, attributes: NotificationAttributes()) }
        if state == .inFlight || state == .inFlightChanged {
            machine.notified(number: 1, isConfirmable: true, now: .zero)
        }
        if state == .inFlightChanged { machine.changed(to: 2, attributes: NotificationAttributes()) }
        return machine
    }

    static func state(of machine: ObservationMachine) -> StateName {
        var acknowledged = machine
        acknowledged.acknowledged(now: .zero)
        let none = NotificationAttributes()
        if machine.nextDeadline(attributes: none) != nil { return .due }
        if machine.nextDeadline(attributes: Self.attributes(pmax: 60)) != nil { return .quiet }
        return acknowledged.nextDeadline(attributes: none) == nil ? .inFlight : .inFlightChanged
    }

    static func perform(_ event: EventName, on machine: inout ObservationMachine) -> ObservationMachine.Action {
        switch event {
        case .changed: machine.changed(to: 3, attributes: NotificationAttributes())
        case .deadline:
            return machine.deadlineReached(attributes: NotificationAttributes(), confirms: false, now: Self.at(1))
        case .notified: machine.notified(number: 3, isConfirmable: false, now: Self.at(1))
        case .confirmed: machine.notified(number: 3, isConfirmable: true, now: Self.at(1))
        case .acknowledged: machine.acknowledged(now: Self.at(1))
        case .dropped: machine.unacknowledged(repeats: false)
        case .repeated: machine.unacknowledged(repeats: true)
        case .lost: machine.sessionLost(repeats: true)
        }
        return .none
    }

    static func expected(_ state: StateName, _ event: EventName) -> StateName {
        switch (state, event) {
        case (.quiet, .changed), (.due, .changed), (_, .repeated), (.inFlight, .lost), (.inFlightChanged, .lost),
            (.inFlightChanged, .acknowledged), (.inFlightChanged, .dropped), (.due, .acknowledged), (.due, .dropped):
            .due
        case (.inFlight, .changed): .inFlightChanged
        case (_, .notified), (.inFlight, .acknowledged), (.inFlight, .dropped): .quiet
        case (_, .confirmed): .inFlight
        default: state
        }
    }

    @Test("Every event in every state", arguments: StateName.allCases, EventName.allCases)
    func considersEveryPair(state: StateName, event: EventName) {
        var machine = Self.machine(in: state)
        let isNotified = state == .due && event == .deadline
        #expect(Self.perform(event, on: &machine) == (isNotified ? .notify(isConfirmable: false) : .none))
        #expect(Self.state(of: machine) == Self.expected(state, event))
    }

    @Test("An unacknowledged notification is repeated only where notifications are kept")
    func repeatsWhatWasNotAcknowledged() {
        for repeats in [true, false] {
            var machine = ObservationMachine(number: 1, now: .zero)
            let none = NotificationAttributes()
            machine.changed(to: 2, attributes: none)
            machine.notified(number: 2, isConfirmable: true, now: .zero)
            machine.unacknowledged(repeats: repeats)
            #expect((machine.nextDeadline(attributes: none) != nil) == repeats)
        }
    }
}
