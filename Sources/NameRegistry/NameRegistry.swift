public import BalancerEngine

/// Where host names are published: a DNS server that takes signed updates, or the responder in this process.
///
/// One batch is under way at a time. Completions are called on the thread of the loop, inside one of its turns.
public protocol NameRegistry: AnyObject {
    /// Does a batch.
    func apply(_ update: NameUpdate, completion: @escaping (Result<Void, RegistryFailure>) -> Void)
    /// Reads the epoch of the zone; nil when it has none.
    func readEpoch(completion: @escaping (Result<RegistryEpoch?, RegistryFailure>) -> Void)
    /// Reads every name that the zone assigns, but those of its own apex and name servers.
    func readNames(completion: @escaping (Result<[NameRecord], RegistryFailure>) -> Void)
}
