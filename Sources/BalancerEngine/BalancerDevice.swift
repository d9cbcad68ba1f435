public import Primitives

/// A device whose names the balancer derives and publishes.
public struct BalancerDevice: Sendable {
    /// The endpoint name; 1 to 255 bytes.
    public var endpoint: UTF8Text
    /// The secret that the device derives its names from.
    public var secret: SecretBytes
    /// Where the device is; compared with the region of instances.
    public var region: UTF8Text?
    /// What kind of device it is; compared with the classes of instances.
    public var deviceClass: UTF8Text?

    /// Creates a device from its parts.
    public init(endpoint: UTF8Text, secret: SecretBytes, region: UTF8Text? = nil, deviceClass: UTF8Text? = nil) {
        self.endpoint = endpoint
        self.secret = secret
        self.region = region
        self.deviceClass = deviceClass
    }
}

/// A bootstrap server instance that names can lead to.
public struct BootstrapInstance: Hashable, Sendable {
    /// The name it proved to have; 1 to 64 bytes.
    public var name: UTF8Text
    /// Its addresses, at least one; several share the instance's names evenly.
    public var addresses: [IPAddress]
    /// Its resources beside those of others; 1 to 1000.
    public var weight: Int
    /// Where it is; nil: nowhere in particular.
    public var region: UTF8Text?
    /// The classes of devices it is for; empty: every class.
    public var classes: [UTF8Text]

    /// Creates an instance from its parts.
    public init(
        name: UTF8Text,
        addresses: [IPAddress],
        weight: Int = 1,
        region: UTF8Text? = nil,
        classes: [UTF8Text] = []
    ) {
        self.name = name
        self.addresses = addresses
        self.weight = weight
        self.region = region
        self.classes = classes
    }
}

/// What an instance tells about one bootstrap procedure.
public struct BootstrapNotification: Hashable, Sendable {
    /// What became of the procedure.
    public enum Event: Hashable, Sendable {
        /// The device's request was accepted.
        case started
        /// The device has everything.
        case completed
        /// The procedure ended otherwise; the device will try again.
        case failed
    }

    /// The name of the instance.
    public var instance: UTF8Text
    /// The device.
    public var endpoint: UTF8Text
    /// The host that the device addressed, in lower case.
    public var host: UTF8Text
    /// What happened.
    public var event: Event
    /// Names the procedure; no other one of this instance ever has the same text.
    public var procedure: UTF8Text
    /// Grows with every notification that the instance makes, also over its restarts: a lower one is older.
    public var sequence: UInt64

    /// Creates a notification from its parts.
    public init(
        instance: UTF8Text,
        endpoint: UTF8Text,
        host: UTF8Text,
        event: Event,
        procedure: UTF8Text,
        sequence: UInt64
    ) {
        self.instance = instance
        self.endpoint = endpoint
        self.host = host
        self.event = event
        self.procedure = procedure
        self.sequence = sequence
    }
}
