public import CommandSessions
public import Primitives

/// What a gateway knows of a device.
public struct GatewayDeviceStatus: Hashable, Sendable {
    /// Where the session with a device stands.
    public enum Session: Hashable, Sendable {
        /// There is none.
        case none
        /// A command is being offered: message 3 has not been sent.
        case offered
        /// Message 3 may have been sent, and the answer is awaited.
        case confirmed
        /// Message 3 may have been sent, and the outcome is asked for later.
        case interrupted
    }

    /// The device.
    public let endpoint: UTF8Text
    /// Whether it can be reached.
    public let isAvailable: Bool
    /// What breaches have made of it.
    public let standing: DeviceStanding
    /// Where the session with it stands.
    public let session: Session
    /// Commands that have not ended, in the order they were given.
    public let commands: [GatewayCommandID]
    /// Whether there ever was a session of which the gateway holds identifiers.
    public let hasIdentifiers: Bool
}

extension GatewayEngine {
    /// How many devices are known, available or not.
    public var deviceCount: Int { self.slots.count }

    /// How many commands have not ended.
    public var commandCount: Int { self.commands.count }

    /// The policy in force.
    public var breachPolicy: BreachPolicy { self.policy }

    /// What is known of a device; nil when nothing is.
    public func status(of endpoint: UTF8Text) -> GatewayDeviceStatus? {
        self.slots[endpoint].flatMap { self.status(at: $0) }
    }

    /// Lists devices page by page, in no special order.
    ///
    /// - Parameters:
    ///   - cursor: 0 at first, then what the last page returned.
    ///   - limit: the most devices of a page; at least 1.
    /// - Returns: the page, and the cursor of the next one; nil behind the last.
    public func devices(from cursor: Int, limit: Int) -> (page: [GatewayDeviceStatus], next: Int?) {
        var page: [GatewayDeviceStatus] = []
        var slot = max(cursor, 0)
        while slot < self.devices.count, page.count < limit {
            if let status = self.status(at: slot) { page.append(status) }
            slot += 1
        }
        return (page, slot < self.devices.count ? slot : nil)
    }

    private func status(at slot: Int) -> GatewayDeviceStatus? {
        guard let device = self.devices[slot] else { return nil }
        let machine = self.sessions[slot]?.machine
        let session: GatewayDeviceStatus.Session =
            switch machine?.record.stage {
            case nil: .none
            case .confirmed?: machine?.isWaiting == true ? .interrupted : .confirmed
            case .none?: .confirmed
            case .offered?: .offered
            }
        return GatewayDeviceStatus(
            endpoint: device.endpoint,
            isAvailable: device.isAvailable,
            standing: device.standing,
            session: session,
            commands: device.queue.map(\.command.id),
            hasIdentifiers: (machine?.record ?? device.record).dsid.newest != nil
        )
    }
}
