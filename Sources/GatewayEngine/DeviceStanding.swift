/// What breaches have made of a device; durable.
public struct DeviceStanding: OptionSet, Hashable, Sendable {
    /// One bit for each.
    public let rawValue: UInt8

    /// Creates a standing from its bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// It takes no more commands until an operator unblocks it.
    public static let blocked = DeviceStanding(rawValue: 1)
    /// The gateway begins no sessions with it for a while; after a restart the while begins anew.
    public static let suspended = DeviceStanding(rawValue: 2)
    /// Its alarm was raised and nobody has reset it.
    public static let alarmed = DeviceStanding(rawValue: 4)
}
