public import BootstrapURIs
public import Primitives

/// Diagnostics; none carries a secret or a temporary name.
public enum BalancerReport: Hashable, Sendable {
    /// An instance is up, for the first time or again.
    case instanceUp(UTF8Text)
    /// An instance is gone: this many names went to others, and this many devices were in progress there.
    case instanceLost(UTF8Text, names: Int, restarted: Int)
    /// An instance began anew before it was missed: this many devices were in progress there.
    case instanceRestarted(UTF8Text, restarted: Int)
    /// No instance is up: names lead to the balancer itself, or keep the last instance.
    case noInstance(isHolding: Bool)
    /// An instance did not start, or did not report in time.
    case instanceStartFailed
    /// Names of a window are being derived and published.
    case windowBegun(TimeWindow)
    /// The names of all devices that wait are derived, for all windows that are served.
    case namesDerived(count: Int)
    /// A window is over; names that no other one has are removed.
    case windowEnded(TimeWindow)
    /// The registry did a batch.
    case batchDone(assigned: Int, removed: Int)
    /// The registry cannot be reached; the next try comes after this long.
    case registryUnreachable(retry: Duration)
    /// The registry refuses with this DNS response code; the next try comes after this long.
    case registryRefused(UInt8, retry: Duration)
    /// The registry works again.
    case registryRecovered
    /// Somebody else writes the zone; nothing is written until an operator says so. nil: the zone lost its epoch.
    case superseded(by: RegistryEpoch?)
    /// The zone is written by this balancer now; it had this many names.
    case tookOver(names: Int)
    /// The store failed; the next try comes after this long.
    case storageFailed(retry: Duration)
    /// A device started and never finished; it gets new names.
    case givenUp(endpoint: UTF8Text)
    /// A notification or a request names a device that is not known.
    case unknownDevice(endpoint: UTF8Text)
    /// No name can be made for a device; its secret is not what the profile demands.
    case underivable(endpoint: UTF8Text)
    /// Something was refused because a table is full.
    case refusedByBounds(BalancerBound)
}

/// A table of the balancer that can be full.
public enum BalancerBound: Hashable, Sendable {
    /// ``BalancerConfiguration/maximumDevices``.
    case devices
    /// ``BalancerConfiguration/maximumInstances``, or an instance without a usable description.
    case instances
    /// ``BalancerConfiguration/maximumWaiting``.
    case waiting
}
