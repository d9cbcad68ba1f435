import ClientEngine
import FleetEngine
import Primitives
import VirtualNetwork

/// The course of a fleet on a virtual network: it has no address and hears nothing but the clock.
final class FleetPeer: VirtualPeer {
    private(set) var engine: FleetEngine
    private let perform: (FleetEngine.Output) -> Void

    init(configuration: FleetConfiguration, perform: @escaping (FleetEngine.Output) -> Void) {
        self.engine = FleetEngine(configuration: configuration)
        self.perform = perform
    }

    var nextDeadline: MonotonicTime? { self.engine.nextDeadline }

    func tell(_ event: FleetEngine.Event, now: MonotonicTime) { self.engine.handle(event, now: now) }

    func handle(_ event: PeerEvent, now: MonotonicTime) {
        switch event {
        case .started: self.engine.handle(.started, now: now)
        case .deadlineReached: self.engine.handle(.deadlineReached, now: now)
        default: break
        }
    }

    func nextOutput(now: MonotonicTime) -> PeerOutput? {
        while let output = self.engine.nextOutput() { self.perform(output) }
        return nil
    }
}

/// Does something at equal intervals.
final class MetronomePeer: VirtualPeer {
    private let interval: Duration
    private let beat: () -> Void
    private(set) var nextDeadline: MonotonicTime?

    init(from start: MonotonicTime, every interval: Duration, _ beat: @escaping () -> Void) {
        self.interval = interval
        self.beat = beat
        self.nextDeadline = start.advanced(by: interval)
    }

    func handle(_ event: PeerEvent, now: MonotonicTime) {
        guard case .deadlineReached = event else { return }
        self.nextDeadline = self.nextDeadline?.advanced(by: self.interval)
        self.beat()
    }

    func nextOutput(now: MonotonicTime) -> PeerOutput? { nil }
}
