/// What a device did at least once.
public struct DeviceActivity: OptionSet, Hashable, Sendable {
    /// The kinds of activity as bits.
    public let rawValue: UInt16

    /// Creates a set from its bits.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Bootstrap finished.
    public static let bootstrapped = DeviceActivity(rawValue: 1)
    /// A server accepted its registration.
    public static let registered = DeviceActivity(rawValue: 1 << 1)
    /// A server accepted an update.
    public static let updated = DeviceActivity(rawValue: 1 << 2)
    /// It answered a Read with a success.
    public static let read = DeviceActivity(rawValue: 1 << 3)
    /// It answered a Write with a success.
    public static let written = DeviceActivity(rawValue: 1 << 4)
    /// It answered an Observe with a success.
    public static let observed = DeviceActivity(rawValue: 1 << 5)
    /// A server acknowledged one of its notifications.
    public static let notified = DeviceActivity(rawValue: 1 << 6)
    /// A server accepted its deregistration.
    public static let deregistered = DeviceActivity(rawValue: 1 << 7)
}

/// How many different devices of a fleet did what, counted as it happens.
public struct FleetActivity: Sendable {
    private var devices: [DeviceActivity]
    private var counts = [Int](repeating: 0, count: DeviceActivity.RawValue.bitWidth)

    /// Creates the activity of so many devices that have done nothing.
    public init(deviceCount: Int) {
        self.devices = Array(repeating: [], count: max(deviceCount, 0))
    }

    /// Notes that a device did something; a device outside the fleet has no effect.
    public mutating func note(_ activity: DeviceActivity, of device: Int) {
        guard self.devices.indices.contains(device) else { return }
        var added = activity.subtracting(self.devices[device]).rawValue
        guard added != 0 else { return }
        self.devices[device].formUnion(activity)
        while added != 0 {
            self.counts[added.trailingZeroBitCount] += 1
            added &= added - 1
        }
    }

    /// How many different devices did this one thing at least once.
    public func count(_ activity: DeviceActivity) -> Int {
        activity.rawValue == 0 ? 0 : self.counts[activity.rawValue.trailingZeroBitCount]
    }
}
