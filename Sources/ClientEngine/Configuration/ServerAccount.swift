import LwM2MModel
public import Primitives

/// One instance of the Server object (1): how to register with one server.
///
/// The values are kept as resources, so what a server wrote survives even where nothing here has a name for it; the
/// properties read and write the ones the engine acts on.
/// - Source: LwM2M Core 1.2.2, appendix E.2 and clause 6.2.1.
public struct ServerAccount: Hashable, Sendable {
    /// The identifier of the instance.
    public let instance: UInt16
    /// The resources of the instance.
    public var values: ResourceValues

    /// Creates an account from the resources of an instance.
    public init(instance: UInt16, values: ResourceValues) {
        self.instance = instance
        self.values = values
    }

    /// Creates an account for UDP.
    ///
    /// - Parameters:
    ///   - instance: the identifier of the instance.
    ///   - shortServerID: 1 to 65534, as in the server's Security instance.
    ///   - lifetime: how long the server keeps the registration, in seconds; 0 means for ever.
    ///   - binding: the transports the device is reached over; `"U"`.
    ///   - storesNotifications: whether notifications are kept while the server cannot be reached.
    public init(
        instance: UInt16,
        shortServerID: UInt16,
        lifetime: UInt32,
        binding: UTF8Text = "U",
        storesNotifications: Bool = true
    ) {
        self.instance = instance
        self.values = [
            0: .integer(Int64(shortServerID)), 1: .integer(Int64(lifetime)), 6: .boolean(storesNotifications),
            7: .string(binding),
        ]
    }

    /// Resource 0; 0 when it is missing or not one of a server.
    public var shortServerID: UInt16 {
        guard let value = self.values[0]?.asInteger, (1...65_534).contains(value) else { return 0 }
        return UInt16(value)
    }

    /// Resource 1, in seconds; 0 means for ever.
    public var lifetime: UInt32 {
        get { self.number(1) ?? 86_400 }
        set { self.values[1] = .integer(Int64(newValue)) }
    }

    /// Resource 2, in seconds: pmin where none is attached.
    public var defaultMinimumPeriod: UInt32? {
        get { self.number(2) }
        set { self.values[2] = newValue.map { .integer(Int64($0)) } }
    }

    /// Resource 3, in seconds: pmax where none is attached.
    public var defaultMaximumPeriod: UInt32? {
        get { self.number(3) }
        set { self.values[3] = newValue.map { .integer(Int64($0)) } }
    }

    /// Resource 5, in seconds: how long Disable lasts; a day unless set.
    public var disableTimeout: UInt32 {
        get { self.number(5) ?? 86_400 }
        set { self.values[5] = .integer(Int64(newValue)) }
    }

    /// Resource 6: whether notifications are kept while the server cannot be reached.
    public var storesNotifications: Bool {
        get { self.flag(6) ?? true }
        set { self.values[6] = .boolean(newValue) }
    }

    /// Resource 7; `"U"`.
    public var binding: UTF8Text {
        get { if case .string(let text) = self.values[7] { text } else { "U" } }
        set { self.values[7] = .string(newValue) }
    }

    /// Resource 14, in seconds: how long the first Register waits.
    public var initialDelay: UInt32 {
        get { self.number(14) ?? 0 }
        set { self.values[14] = .integer(Int64(newValue)) }
    }

    /// Resource 16: whether a registration that failed for good starts bootstrap.
    public var bootstrapsOnFailure: Bool {
        get { self.flag(16) ?? true }
        set { self.values[16] = .boolean(newValue) }
    }

    /// Resource 17: attempts in one sequence.
    public var retryCount: UInt32 {
        get { self.number(17) ?? 5 }
        set { self.values[17] = .unsignedInteger(UInt64(newValue)) }
    }

    /// Resource 18, in seconds: the pause after the first failed attempt; it doubles with each.
    public var retryTimer: UInt32 {
        get { self.number(18) ?? 60 }
        set { self.values[18] = .unsignedInteger(UInt64(newValue)) }
    }

    /// Resource 19, in seconds: the pause between sequences.
    public var sequenceDelay: UInt32 {
        get { self.number(19) ?? 86_400 }
        set { self.values[19] = .unsignedInteger(UInt64(newValue)) }
    }

    /// Resource 20: how many sequences there are.
    public var sequenceCount: UInt32 {
        get { self.number(20) ?? 1 }
        set { self.values[20] = .unsignedInteger(UInt64(newValue)) }
    }

    private func number(_ resource: UInt16) -> UInt32? {
        self.values[resource]?.asInteger.flatMap { UInt32(exactly: $0) }
    }

    private func flag(_ resource: UInt16) -> Bool? {
        if case .boolean(let value) = self.values[resource] { value } else { nil }
    }
}
