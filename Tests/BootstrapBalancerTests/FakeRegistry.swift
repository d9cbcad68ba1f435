import BalancerEngine
import NameRegistry
import Primitives

/// A zone that outlives the balancers that write it, and fails as it is told to.
///
/// Completions come when ``deliver()`` is called, inside a turn as far as the balancer can tell.
final class FakeRegistry: NameRegistry {
    enum Mood: CaseIterable {
        case good
        /// Nothing arrives.
        case unreachable
        /// What is asked happens, and the answer is lost.
        case forgetsAnswers
        case refuses
    }

    var mood = Mood.good
    private(set) var names: [UTF8Text: IPAddress] = [:]
    private(set) var epoch: RegistryEpoch?
    private(set) var updates = 0
    private var completions: [() -> Void] = []
    /// Called with every batch before it is done; for what must hold at any moment.
    var onUpdate: (NameUpdate) -> Void = { _ in }

    func apply(_ update: NameUpdate, completion: @escaping (Result<Void, RegistryFailure>) -> Void) {
        self.onUpdate(update)
        let result: Result<Void, RegistryFailure>
        switch self.mood {
        case .unreachable: result = .failure(.unreachable)
        case .refuses: result = .failure(.refused(5))
        case .good, .forgetsAnswers:
            if update.expected == self.epoch {
                for name in update.removed { self.names[name] = nil }
                for record in update.assigned { self.names[record.name] = record.address }
                self.epoch = update.epoch
                self.updates += 1
                result = self.mood == .good ? .success(()) : .failure(.unreachable)
            } else {
                result = .failure(.epochMismatch)
            }
        }
        self.completions.append { completion(result) }
    }

    func readEpoch(completion: @escaping (Result<RegistryEpoch?, RegistryFailure>) -> Void) {
        let result: Result<RegistryEpoch?, RegistryFailure> =
            self.mood == .good ? .success(self.epoch) : .failure(.unreachable)
        self.completions.append { completion(result) }
    }

    func readNames(completion: @escaping (Result<[NameRecord], RegistryFailure>) -> Void) {
        let records = self.names.map { NameRecord(name: $0.key, address: $0.value) }
        let result: Result<[NameRecord], RegistryFailure> =
            self.mood == .good ? .success(records) : .failure(.unreachable)
        self.completions.append { completion(result) }
    }

    /// Somebody else writes the zone.
    func write(_ epoch: RegistryEpoch?) {
        self.epoch = epoch
    }

    func deliver() {
        let completions = self.completions
        self.completions = []
        for completion in completions { completion() }
    }

    /// The answers to a balancer that is gone go nowhere.
    func drop() {
        self.completions = []
    }
}
