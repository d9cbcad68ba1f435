public import PowerCut
import Primitives

/// The options of a simulated power cut as text, from the command line.
public struct PowerCutOptions: Hashable, Sendable {
    /// How many devices reboot.
    public var devices: String
    /// How many balanced instances there are; 0 for one static server.
    public var instances: String
    /// Datagrams per second that strangers send to the static name.
    public var attack: String
    /// The time in which every device has power again.
    public var within: String
    /// How long after the power returned the experiment ends at the latest.
    public var limit: String
    /// What everything random comes from.
    public var seed: String

    /// Creates options.
    public init(
        devices: String,
        instances: String,
        attack: String,
        within: String,
        limit: String,
        seed: String
    ) {
        self.devices = devices
        self.instances = instances
        self.attack = attack
        self.within = within
        self.limit = limit
        self.seed = seed
    }

    /// Checks the options.
    public func configuration() throws(ScenarioError) -> PowerCutConfiguration {
        guard let rate = DurationText.parseRate(self.attack), PowerCutConfiguration.attackRates.contains(rate) else {
            throw .invalidRate(option: "attack", text: self.attack)
        }
        var configuration = PowerCutConfiguration(
            devices: try Self.number("devices", self.devices, PowerCutConfiguration.deviceCounts),
            instances: try Self.number("instances", self.instances, PowerCutConfiguration.instanceCounts),
            attackRate: rate,
            within: try Self.duration("within", self.within),
            seed: UInt64(try Self.number("seed", self.seed, 0...Int.max))
        )
        configuration.limit = try Self.duration("limit", self.limit)
        return configuration
    }

    private static func number(
        _ option: String,
        _ text: String,
        _ allowed: ClosedRange<Int>
    ) throws(ScenarioError) -> Int {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), allowed.contains(number)
        else { throw .invalidNumber(option: option, text: text, allowed: allowed) }
        return number
    }

    private static func duration(_ option: String, _ text: String) throws(ScenarioError) -> Duration {
        guard let duration = DurationText.parse(text), duration > .zero else {
            throw .invalidDuration(option: option, text: text)
        }
        return duration
    }
}
