import Primitives

/// What a fleet, or a slice of one, is told to do.
public struct FleetConfiguration: Hashable, Sendable {
    /// The index of the first device in the whole fleet; 0 or above.
    public var firstIndex: Int
    /// How many devices this slice has; 1 or above.
    public var deviceCount: Int
    /// When devices start.
    public var schedule: ArrivalSchedule
    /// The most devices that start at once, and that deregister at once; 1 or above.
    public var handshakesInFlight = 64
    /// How long the fleet runs once every device was started; nil until it is interrupted.
    public var duration: Duration?
    /// How often each device measures and changes its values; nil for never.
    public var readingInterval: Duration?
    /// What everything random comes from.
    public var seed: UInt64 = 1
    /// How much later than intended a start may be without counting as late.
    public var lateTolerance: Duration = .milliseconds(50)
    /// How long a start that is due waits for its turn before it is given up.
    public var startPatience: Duration = .seconds(300)
    /// How long a device may take to register or fail before it counts as failed.
    public var startLimit: Duration = .seconds(120)
    /// How long deregistration may take altogether.
    public var stopLimit: Duration = .seconds(60)

    /// Creates the configuration of the devices `firstIndex..<firstIndex + deviceCount`.
    ///
    /// - Parameters:
    ///   - firstIndex: a negative one counts as 0.
    ///   - deviceCount: less than 1 counts as 1.
    ///   - schedule: when devices start.
    public init(firstIndex: Int = 0, deviceCount: Int, schedule: ArrivalSchedule) {
        self.firstIndex = max(firstIndex, 0)
        self.deviceCount = max(deviceCount, 1)
        self.schedule = schedule
    }

    /// The indices of the devices in the whole fleet.
    public var indices: Range<Int> { self.firstIndex..<self.firstIndex + self.deviceCount }
}
