import BalancerEngine
import Primitives

/// A zone in memory that does batches as a real registry must: behind its epoch, all or nothing.
struct ModelRegistry {
    var epoch: RegistryEpoch?
    var names: [UTF8Text: IPAddress] = [:]
    /// Batches that were done, in order.
    var batches: [NameUpdate] = []

    mutating func apply(_ update: NameUpdate) -> RegistryFailure? {
        guard update.expected == self.epoch else { return .epochMismatch }
        for name in update.removed { self.names[name] = nil }
        for record in update.assigned { self.names[record.name] = record.address }
        self.epoch = update.epoch
        self.batches.append(update)
        return nil
    }

    var records: [NameRecord] {
        self.names.map { NameRecord(name: $0.key, address: $0.value) }.sorted { $0.name.string < $1.name.string }
    }
}
