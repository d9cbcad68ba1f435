import Primitives

/// What a virtual device measures at one moment.
public struct DeviceReadings: Hashable, Sendable {
    /// Degrees Celsius, to a tenth; the Sensor Value of the Temperature object.
    public let temperature: Double
    /// Percent, 0 to 100; the Battery Level of the Device object.
    public let batteryLevel: Int

    /// Creates readings.
    public init(temperature: Double, batteryLevel: Int) {
        self.temperature = temperature
        self.batteryLevel = batteryLevel
    }
}

/// The behaviour of one virtual device: a temperature that wanders about its own mean and a battery that drains.
///
/// The same seed and index give the same readings in every process, so slices of a fleet add up to one fleet.
public struct VirtualDevice: Sendable {
    private static let temperatures: ClosedRange<Double> = -30...60

    private var generator: SeededGenerator
    private var temperature: Double
    private var battery: Double
    private let mean: Double

    /// Creates a device.
    ///
    /// - Parameters:
    ///   - seed: the seed of the fleet.
    ///   - index: the number of the device in the whole fleet.
    public init(seed: UInt64, index: Int) {
        var generator = SeededGenerator(seed: Self.seed(of: index, in: seed))
        self.mean = 12 + 14 * generator.nextUnitInterval()
        self.temperature = self.mean
        self.battery = 60 + 40 * generator.nextUnitInterval()
        self.generator = generator
    }

    /// The seed of everything random about one device.
    public static func seed(of index: Int, in seed: UInt64) -> UInt64 {
        var generator = SeededGenerator(seed: seed ^ (UInt64(bitPattern: Int64(index)) &* 0xD6E8_FEB8_6659_FD93))
        return generator.next()
    }

    /// What the device measures now.
    public var readings: DeviceReadings {
        DeviceReadings(
            temperature: (self.temperature * 10).rounded() / 10,
            batteryLevel: Int(self.battery.rounded(.up))
        )
    }

    /// Moves to the next measurement: half a degree at most, pulled back to the mean; an empty battery is replaced.
    public mutating func advance() -> DeviceReadings {
        let step = self.generator.nextUnitInterval() - 0.5
        let moved = self.temperature + step + (self.mean - self.temperature) * 0.02
        self.temperature = min(max(moved, Self.temperatures.lowerBound), Self.temperatures.upperBound)
        self.battery -= 0.1 * self.generator.nextUnitInterval()
        if self.battery <= 1 { self.battery = 100 }
        return self.readings
    }
}
