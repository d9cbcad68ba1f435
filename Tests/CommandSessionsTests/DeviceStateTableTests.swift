import CoAPMessages
import CommandSessions
import Primitives
import Testing

/// Every state of the device's machine with every event.
///
/// The session in progress is that of Z and 2, the one before was
/// that of E and 5, and executed.
@Suite struct DeviceStateTableTests {
    enum State: String, CaseIterable {
        case idle, storingIdentifiers, awaitingMessage3, storingExecution, executing, storingOutcome
    }

    enum Event: CaseIterable {
        case message1, message1Again, message1Replayed, message1Malformed
        case message3, message3Changed, message3Swapped, message3Replayed, message3Foreign, message3Reflected
        case outcomeAsked, outcomeAskedOfLast, outcomeAskedOfNobodys
        case stored, storageFailed, executed, deadlineReached, aborted
    }

    typealias Cell = (reaction: Reaction, next: State)

    private let wording = SessionWording(form: .bothIdentifiers)

    /// The table.
    ///
    /// The switches have no default: a new case of either enum does not compile before each pair is
    /// considered.
    private func expected(_ state: State, _ event: Event) -> Cell {
        switch event {
        case .message1:
            switch state {
            case .idle, .awaitingMessage3: (.store, .storingIdentifiers)
            case .storingIdentifiers, .storingExecution, .executing, .storingOutcome: (.busy, state)
            }
        case .message1Again:
            switch state {
            // Before its session there is nothing that it could repeat.
            case .idle: (.store, .storingIdentifiers)
            case .awaitingMessage3: (.acceptMessage1, state)
            case .storingIdentifiers, .storingExecution, .executing, .storingOutcome: (.busy, state)
            }
        case .message1Replayed:
            switch state {
            case .idle, .awaitingMessage3: (.late, state)
            case .storingIdentifiers, .storingExecution, .executing, .storingOutcome: (.busy, state)
            }
        case .message1Malformed:
            switch state {
            case .idle, .storingIdentifiers, .awaitingMessage3, .storingExecution, .executing, .storingOutcome:
                (.malformed, state)
            }
        case .message3:
            switch state {
            case .idle: (.breach(.wrongIdentifier), state)
            case .storingIdentifiers: (.late, state)
            case .awaitingMessage3: (.store, .storingExecution)
            case .storingExecution, .executing: (.busy, state)
            case .storingOutcome: (.answer(.done(.changed)), state)
            }
        case .message3Changed:
            switch state {
            case .idle: (.breach(.wrongIdentifier), state)
            case .storingIdentifiers: (.late, state)
            case .awaitingMessage3: (.breach(.changedCommand), .idle)
            // The command of a session that came to its execution counts no more.
            case .storingExecution, .executing: (.busy, state)
            case .storingOutcome: (.answer(.done(.changed)), state)
            }
        case .message3Swapped:
            switch state {
            case .awaitingMessage3: (.breach(.swappedIdentifier), .idle)
            case .idle, .storingIdentifiers, .storingExecution, .executing, .storingOutcome:
                (.breach(.wrongIdentifier), state)
            }
        case .message3Replayed, .outcomeAskedOfLast:
            switch state {
            // The device remembers the session before the newest.
            case .idle, .storingIdentifiers, .awaitingMessage3, .storingExecution, .executing, .storingOutcome:
                (.answer(.done(.created)), state)
            }
        case .message3Foreign, .outcomeAskedOfNobodys:
            switch state {
            case .idle, .storingIdentifiers, .awaitingMessage3, .storingExecution, .executing, .storingOutcome:
                (.breach(.wrongIdentifier), state)
            }
        case .message3Reflected:
            switch state {
            case .idle, .storingIdentifiers, .awaitingMessage3, .storingExecution, .executing, .storingOutcome:
                (.breach(.reflected), state)
            }
        case .outcomeAsked:
            switch state {
            case .idle: (.breach(.wrongIdentifier), state)
            case .storingIdentifiers: (.answer(.notDone), state)
            case .awaitingMessage3: (.answer(.notDone), .idle)
            case .storingExecution, .executing: (.answer(.executing), state)
            case .storingOutcome: (.answer(.done(.changed)), state)
            }
        case .stored:
            switch state {
            case .idle, .awaitingMessage3, .executing: (.none, state)
            case .storingIdentifiers: (.acceptMessage1, .awaitingMessage3)
            case .storingExecution: (.execute, .executing)
            case .storingOutcome: (.answer(.done(.changed)), .idle)
            }
        case .storageFailed:
            switch state {
            case .idle, .awaitingMessage3, .executing: (.none, state)
            case .storingIdentifiers, .storingExecution: (.notStored, .idle)
            case .storingOutcome: (.answer(.done(.changed)), .idle)
            }
        case .executed:
            switch state {
            case .executing: (.store, .storingOutcome)
            case .idle, .storingIdentifiers, .awaitingMessage3, .storingExecution, .storingOutcome: (.none, state)
            }
        case .deadlineReached:
            switch state {
            case .awaitingMessage3: (.ended, .idle)
            case .idle, .storingIdentifiers, .storingExecution, .executing, .storingOutcome: (.none, state)
            }
        case .aborted:
            switch state {
            case .awaitingMessage3: (.none, .idle)
            case .idle, .storingIdentifiers, .storingExecution, .executing, .storingOutcome: (.none, state)
            }
        }
    }

    private func machine(in state: State) throws -> DeviceSessionMachine {
        var device = try self.wording.device(
            DeviceSessionRecord(
                gsid: self.wording.gsids("E"),
                dsid: cache(established: "5"),
                lastExecution: .init(pair: self.wording.pair("E", "5"), outcome: .done(.created))
            )
        )
        if state == .idle { return device }
        _ = device.message1Received(try self.wording.message1("Z", "5"), identifier: try identifier("2"))
        if state == .storingIdentifiers { return device }
        _ = device.stored(now: now)
        if state == .awaitingMessage3 { return device }
        _ = device.message3Received(try self.wording.message3("Z", "2"))
        if state == .storingExecution { return device }
        _ = device.stored(now: now)
        if state == .executing { return device }
        _ = device.executed(.done(.changed))
        return device
    }

    private func happen(_ event: Event, to device: inout DeviceSessionMachine) throws -> Reaction {
        let new = try identifier("9")
        func message1(_ message: SessionMessage) -> Reaction {
            Reaction(device.message1Received(message, identifier: new))
        }
        switch event {
        case .message1: return message1(try self.wording.message1("Y", "5", 50))
        case .message1Again: return message1(try self.wording.message1("Z", "5"))
        case .message1Replayed: return message1(try self.wording.message1("E", "4"))
        case .message1Malformed:
            return message1(SessionMessage(number: 1, command: try command(), gsid: nil, dsid: nil))
        case .message3: return Reaction(device.message3Received(try self.wording.message3("Z", "2")))
        case .message3Changed: return Reaction(device.message3Received(try self.wording.message3("Z", "2", 50)))
        case .message3Swapped: return Reaction(device.message3Received(try self.wording.message3("Z", "8")))
        case .message3Replayed: return Reaction(device.message3Received(try self.wording.message3("E", "5")))
        case .message3Foreign: return Reaction(device.message3Received(try self.wording.message3("A", "8")))
        case .message3Reflected: return Reaction(device.message3Received(try self.wording.message2("Z", "2")))
        case .outcomeAsked: return Reaction(device.outcomeAsked(try self.wording.pair("Z", "2")))
        case .outcomeAskedOfLast: return Reaction(device.outcomeAsked(try self.wording.pair("E", "5")))
        case .outcomeAskedOfNobodys: return Reaction(device.outcomeAsked(try self.wording.pair("A", "8")))
        case .stored: return Reaction(device.stored(now: now))
        case .storageFailed: return Reaction(device.storageFailed())
        case .executed: return Reaction(device.executed(.done(.changed)))
        case .deadlineReached: return device.deadlineReached(now: seconds(60)) ? .ended : .none
        case .aborted:
            device.abort()
            return .none
        }
    }

    @Test(arguments: State.allCases)
    func everyEventHasItsAnswer(in state: State) throws {
        for event in Event.allCases {
            var device = try self.machine(in: state)
            try #require(stateName(device) == state.rawValue)
            let reaction = try self.happen(event, to: &device)
            let expected = self.expected(state, event)
            #expect(reaction == expected.reaction, "\(state), \(event)")
            #expect(stateName(device) == expected.next.rawValue, "\(state), \(event)")
        }
    }

    /// A state that the table lacks would be come upon here.
    @Test func noOtherStateIsReached() throws {
        var random = SeededGenerator(seed: 1)
        var seen: Set<String> = []
        for state in State.allCases {
            for _ in 0..<200 {
                var device = try self.machine(in: state)
                for _ in 0..<8 {
                    _ = try self.happen(random.pick(Event.allCases), to: &device)
                    seen.insert(try #require(stateName(device)))
                }
            }
        }
        #expect(seen == Set(State.allCases.map(\.rawValue)))
    }
}
