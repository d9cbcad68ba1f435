internal import CoAPMessages
internal import Primitives

/// Whether an instance was asked for.
enum OnDemandState: Equatable, Sendable {
    case idle
    /// It must report before the deadline; its name is known once it runs.
    case starting(UTF8Text?, until: MonotonicTime)
    /// The last one did not start; the next request after this asks for another.
    case pausing(until: MonotonicTime)

    var deadline: MonotonicTime? {
        switch self {
        case .idle: nil
        case .starting(_, let until), .pausing(let until): until
        }
    }
}

extension BalancerEngine {
    /// A device came to the balancer itself: it waits, and an instance is started for it.
    mutating func answerHold(_ exchange: ExchangeID, _ endpoint: UTF8Text, _ host: UTF8Text) {
        guard let device = self.devices[endpoint], self.isName(host, of: device) else {
            self.counters.refusedHolds += 1
            self.emit(.answerHold(exchange, .refuse))
            return
        }
        self.counters.held += 1
        self.emit(.answerHold(exchange, .hold(maxAge: max(self.configuration.holdTime, 1))))
        guard self.holdingAddress != AddressTable.none, !self.instances.hasUp, self.onDemand == .idle else { return }
        self.onDemand = .starting(nil, until: self.now.advanced(by: self.configuration.instanceStartTime))
        self.emit(.startInstance)
    }

    mutating func instanceStarted(_ name: UTF8Text) {
        guard case .starting(_, let until) = self.onDemand else { return }
        if let number = self.instances[name], self.instances.entries[number].state == .up {
            // It has reported already.
            self.instances.entries[number].isOnDemand = true
            self.onDemand = .idle
        } else {
            self.onDemand = .starting(name, until: until)
        }
    }

    mutating func instanceStartFailed() {
        guard case .starting = self.onDemand else { return }
        self.onDemand = .pausing(until: self.now.advanced(by: self.configuration.instanceStartTime))
        self.emit(.report(.instanceStartFailed))
    }

    /// An instance ended: when it is the one that was asked for, the next request asks for another.
    mutating func endStart(of name: UTF8Text) {
        guard case .starting(name, _) = self.onDemand else { return }
        self.onDemand = .idle
        self.emit(.report(.instanceStartFailed))
    }

    mutating func checkOnDemand() {
        guard let deadline = self.onDemand.deadline, deadline <= self.now else { return }
        switch self.onDemand {
        case .idle: break
        case .pausing: self.onDemand = .idle
        case .starting: self.instanceStartFailed()
        }
    }

    /// Sends an instance home that was started on demand and has had nothing to do for long enough.
    mutating func checkIdle(_ number: Int) {
        let entry = self.instances.entries[number]
        switch entry.state {
        case .free, .lost:
            return
        case .up:
            guard let limit = self.configuration.instanceIdleTime, entry.isOnDemand,
                entry.lastBusy.advanced(by: limit) <= self.now
            else { return }
            self.instances.entries[number].state = .draining(until: nil)
            self.mustShareOut = true
        case .draining(let until):
            if let until {
                guard until <= self.now else { return }
                guard entry.inProgress == 0 else {
                    self.instances.entries[number].state = .draining(until: entry.deadline)
                    return
                }
                self.emit(.stopInstance(entry.instance.name))
                self.lose(number)
            }
        }
    }

    /// Instances that are to be stopped wait until the zone leads nowhere to them, and resolvers have forgotten.
    mutating func noteZoneIsCurrent() {
        for number in self.instances.entries.indices
        where self.instances.entries[number].state == .draining(until: nil) {
            let wait = Duration.seconds(Int64(self.configuration.timeToLive))
            self.instances.entries[number].state = .draining(until: self.now.advanced(by: wait))
        }
    }
}
