public import LwM2MModel
public import Primitives

/// One device: bootstrap, registration with any number of servers, device management and reporting.
///
/// Pure: the driver tells it what happened and performs what ``nextOutput()`` asks for. Same events and seed, same
/// outputs.
public struct ClientEngine: Sendable {
    private var outputs: [ClientOutput] = []

    /// Creates a device that has not started.
    ///
    /// - Parameters:
    ///   - configuration: who it is and what it has.
    ///   - registry: the definitions of objects 0 and 1 and of whatever payloads name.
    ///   - seed: of the jitter; devices of a fleet need different ones.
    public init(configuration: ClientConfiguration, registry: ObjectRegistry, seed: UInt64) {
    }

    /// Takes one event; what follows from it is queued.
    public mutating func handle(_ event: ClientEvent, now: MonotonicTime) {
    }

    /// Removes and returns the oldest output; nil when there is none.
    public mutating func nextOutput() -> ClientOutput? {
        self.outputs.isEmpty ? nil : self.outputs.removeFirst()
    }

    /// When ``ClientEvent/deadlineReached`` must next be told; nil when nothing is pending.
    public var nextDeadline: MonotonicTime? { nil }

    /// The value of a resource or resource instance.
    public func value(at path: ObjectPath) -> ResourceValue? { nil }

    /// Every value at or below a path.
    public func records(below path: ObjectPath) -> [ResourceRecord] { [] }
}
