import CoAPMessages
import CommandSessions
import Primitives
import Testing

/// Every state of the gateway's machine with every event.
///
/// The session in progress is that of Z and 2.
@Suite struct GatewayStateTableTests {
    enum State: String, CaseIterable {
        case idle, storingGSID, sendingMessage1, readingMessage2, storingDSID, sendingMessage3, waiting
        case sendingOutcomeQuery, readingOutcome, storingOutcome
    }

    enum Event: CaseIterable {
        case begun, begunWithAnOldGSID, resumed, stored, storageFailed
        case writeAccepted, writeRefused
        case message2, message2Changed, message2Reflected, message2Foreign
        case outcomeDone, outcomeNotDone, outcomeUnknown, outcomeExecuting, outcomeOfAnother, outcomeMalformed
        case readRefused, unanswered
    }

    /// What the machine wants done, in a word; the switch that makes it names every case.
    enum Reaction: Hashable {
        case none, store, sendMessage1, readMessage2, sendMessage3, sendOutcomeQuery, readOutcome
        case finish(GatewaySessionMachine.End)
        case wait(GatewaySessionMachine.Interruption)

        init(_ action: GatewaySessionMachine.Action) {
            switch action {
            case .none: self = .none
            case .store: self = .store
            case .sendMessage1: self = .sendMessage1
            case .readMessage2: self = .readMessage2
            case .sendMessage3: self = .sendMessage3
            case .sendOutcomeQuery: self = .sendOutcomeQuery
            case .readOutcome: self = .readOutcome
            case .finish(let end): self = .finish(end)
            case .wait(let interruption): self = .wait(interruption)
            }
        }
    }

    typealias Cell = (reaction: Reaction, next: State)

    private let wording = SessionWording(form: .bothIdentifiers)

    private func notDone(_ cause: GatewaySessionMachine.Cause) -> Cell { (.finish(.notDone(cause)), .idle) }

    /// One state answers an event, the others do not care.
    private func only(_ answering: State, _ cell: Cell, _ state: State) -> Cell {
        switch state {
        case .idle, .storingGSID, .sendingMessage1, .readingMessage2, .storingDSID, .sendingMessage3, .waiting,
            .sendingOutcomeQuery, .readingOutcome, .storingOutcome:
            state == answering ? cell : (.none, state)
        }
    }

    /// The table.
    ///
    /// The switches have no default: a new case of either enum does not compile before each pair is
    /// considered.
    private func expected(_ state: State, _ event: Event) -> Cell {
        switch event {
        case .begun: self.only(.idle, (.store, .storingGSID), state)
        case .begunWithAnOldGSID: self.only(.idle, self.notDone(.breach(.wrongIdentifier)), state)
        case .resumed: self.only(.waiting, (.sendOutcomeQuery, .sendingOutcomeQuery), state)
        case .stored:
            switch state {
            case .storingGSID: (.sendMessage1, .sendingMessage1)
            case .storingDSID: (.sendMessage3, .sendingMessage3)
            case .storingOutcome: (.finish(.done(.changed)), .idle)
            case .idle, .sendingMessage1, .readingMessage2, .sendingMessage3, .waiting, .sendingOutcomeQuery,
                .readingOutcome:
                (.none, state)
            }
        case .storageFailed:
            switch state {
            case .storingGSID, .storingDSID: self.notDone(.notStored)
            case .storingOutcome: (.finish(.done(.changed)), .idle)
            case .idle, .sendingMessage1, .readingMessage2, .sendingMessage3, .waiting, .sendingOutcomeQuery,
                .readingOutcome:
                (.none, state)
            }
        case .writeAccepted:
            switch state {
            case .sendingMessage1: (.readMessage2, .readingMessage2)
            case .sendingMessage3: (.store, .storingOutcome)
            case .sendingOutcomeQuery: (.readOutcome, .readingOutcome)
            case .idle, .storingGSID, .readingMessage2, .storingDSID, .waiting, .readingOutcome, .storingOutcome:
                (.none, state)
            }
        case .writeRefused:
            switch state {
            case .sendingMessage1: self.notDone(.refused(.forbidden))
            case .sendingMessage3: (.sendOutcomeQuery, .sendingOutcomeQuery)
            case .sendingOutcomeQuery: (.wait(.refused(.forbidden)), .waiting)
            case .idle, .storingGSID, .readingMessage2, .storingDSID, .waiting, .readingOutcome, .storingOutcome:
                (.none, state)
            }
        case .message2: self.only(.readingMessage2, (.store, .storingDSID), state)
        case .message2Changed: self.only(.readingMessage2, self.notDone(.breach(.changedCommand)), state)
        case .message2Reflected: self.only(.readingMessage2, self.notDone(.breach(.reflected)), state)
        case .message2Foreign: self.only(.readingMessage2, self.notDone(.breach(.wrongIdentifier)), state)
        case .outcomeDone, .outcomeNotDone, .outcomeUnknown:
            self.only(.readingOutcome, (.store, .storingOutcome), state)
        case .outcomeExecuting: self.only(.readingOutcome, (.wait(.executing), .waiting), state)
        case .outcomeOfAnother: self.only(.readingOutcome, (.wait(.overtaken), .waiting), state)
        case .outcomeMalformed: self.only(.readingOutcome, (.wait(.refused(.badRequest)), .waiting), state)
        case .readRefused:
            switch state {
            case .readingMessage2: self.notDone(.refused(.notFound))
            case .readingOutcome: (.wait(.refused(.notFound)), .waiting)
            case .idle, .storingGSID, .sendingMessage1, .storingDSID, .sendingMessage3, .waiting, .sendingOutcomeQuery,
                .storingOutcome:
                (.none, state)
            }
        case .unanswered:
            switch state {
            case .sendingMessage1, .readingMessage2: self.notDone(.unanswered)
            case .sendingMessage3, .sendingOutcomeQuery, .readingOutcome: (.wait(.unanswered), .waiting)
            case .idle, .storingGSID, .storingDSID, .waiting, .storingOutcome: (.none, state)
            }
        }
    }

    private func machine(in state: State) throws -> GatewaySessionMachine {
        var gateway = try self.wording.gateway()
        if state == .idle { return gateway }
        _ = gateway.begin(try command(), identifier: try identifier("Z"))
        if state == .storingGSID { return gateway }
        _ = gateway.stored()
        if state == .sendingMessage1 { return gateway }
        _ = gateway.writeAnswered(.changed)
        if state == .readingMessage2 { return gateway }
        _ = gateway.message2Received(try self.wording.message2("Z", "2").encoded)
        if state == .storingDSID { return gateway }
        _ = gateway.stored()
        if state == .sendingMessage3 { return gateway }
        if state == .storingOutcome {
            _ = gateway.writeAnswered(.changed)
            return gateway
        }
        _ = gateway.unanswered()
        if state == .waiting { return gateway }
        _ = gateway.resume()
        if state == .sendingOutcomeQuery { return gateway }
        _ = gateway.writeAnswered(.changed)
        return gateway
    }

    private func happen(_ event: Event, to gateway: inout GatewaySessionMachine) throws -> Reaction {
        func outcome(_ outcome: SessionOutcome) throws -> [UInt8] { try self.wording.report(outcome, "Z", "2") }
        let action =
            switch event {
            case .begun: gateway.begin(try command(), identifier: try identifier("Y"))
            case .begunWithAnOldGSID: gateway.begin(try command(), identifier: try identifier("E"))
            case .resumed: gateway.resume()
            case .stored: gateway.stored()
            case .storageFailed: gateway.storageFailed()
            case .writeAccepted: gateway.writeAnswered(.changed)
            case .writeRefused: gateway.writeAnswered(.forbidden)
            case .message2: gateway.message2Received(try self.wording.message2("Z", "2").encoded)
            case .message2Changed: gateway.message2Received(try self.wording.message2("Z", "2", 50).encoded)
            case .message2Reflected: gateway.message2Received(try self.wording.message1("Z", "5").encoded)
            case .message2Foreign: gateway.message2Received(try self.wording.message2("A", "2").encoded)
            case .outcomeDone: gateway.outcomeReceived(try outcome(.done(.changed)))
            case .outcomeNotDone: gateway.outcomeReceived(try outcome(.notDone))
            case .outcomeUnknown: gateway.outcomeReceived(try outcome(.unknown))
            case .outcomeExecuting: gateway.outcomeReceived(try outcome(.executing))
            case .outcomeOfAnother: gateway.outcomeReceived(try self.wording.report(.notDone, "E", "5"))
            case .outcomeMalformed: gateway.outcomeReceived([])
            case .readRefused: gateway.readRefused(.notFound)
            case .unanswered: gateway.unanswered()
            }
        return Reaction(action)
    }

    @Test(arguments: State.allCases)
    func everyEventHasItsAnswer(in state: State) throws {
        for event in Event.allCases {
            var gateway = try self.machine(in: state)
            try #require(stateName(gateway) == state.rawValue)
            let reaction = try self.happen(event, to: &gateway)
            let expected = self.expected(state, event)
            #expect(reaction == expected.reaction, "\(state), \(event)")
            #expect(stateName(gateway) == expected.next.rawValue, "\(state), \(event)")
            #expect(gateway.isIdle == (expected.next == .idle))
            #expect(gateway.isWaiting == (expected.next == .waiting))
            #expect((gateway.ending != nil) == (expected.next == .storingOutcome))
        }
    }

    /// A state that the table lacks would be come upon here.
    @Test func noOtherStateIsReached() throws {
        var random = SeededGenerator(seed: 1)
        var seen: Set<String> = []
        for state in State.allCases {
            for _ in 0..<200 {
                var gateway = try self.machine(in: state)
                for _ in 0..<8 {
                    _ = try self.happen(random.pick(Event.allCases), to: &gateway)
                    seen.insert(try #require(stateName(gateway)))
                }
            }
        }
        #expect(seen == Set(State.allCases.map(\.rawValue)))
    }
}
