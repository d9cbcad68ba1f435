import CoAPMessages
import CommandSessions
import Primitives
import Testing

/// The name of the state that a machine is in, which no other module can see otherwise.
func stateName(_ machine: Any) -> String? {
    guard let state = Mirror(reflecting: machine).children.first(where: { $0.label == "state" })?.value else {
        return nil
    }
    return Mirror(reflecting: state).children.first?.label ?? "\(state)"
}

/// What a machine wants done, in a word; what it stores and sends is the transcripts' to check.
///
/// The switches that make it name every case: one more action does not compile until it is considered.
enum Reaction: Hashable {
    case none
    case store
    case acceptMessage1
    case execute
    case answer(SessionOutcome)
    case breach(SessionBreach)
    case busy
    case late
    case malformed
    case notStored
    case ended

    init(_ action: DeviceSessionMachine.Action) {
        switch action {
        case .none: self = .none
        case .store: self = .store
        case .acceptMessage1: self = .acceptMessage1
        case .execute: self = .execute
        case .answer(let outcome): self = .answer(outcome)
        case .refuse(.breach(let breach)): self = .breach(breach)
        case .refuse(.busy): self = .busy
        case .refuse(.late): self = .late
        case .refuse(.malformed): self = .malformed
        case .refuse(.notStored): self = .notStored
        }
    }
}
