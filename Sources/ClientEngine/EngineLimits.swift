/// The bounds of what peers can make one device keep.
public enum EngineLimits {
    /// Instances of one object.
    public static let instancesPerObject = 256
    /// Instances of objects 0 and 1: the servers a device knows.
    public static let accounts = 16
    /// Instances of the Command Session object: the gateways a device knows.
    public static let commandSessions = 8
    /// Values of one instance, each resource instance counted.
    public static let valuesPerInstance = 512
    /// Bytes of one text or opaque value.
    public static let valueSize = 65_536
    /// Observations of one server.
    public static let observationsPerServer = 64
    /// Paths to which one server attached attributes.
    public static let attributedPathsPerServer = 64
    /// Requests that wait for the embedder or the store.
    public static let pendingExchanges = 16
    /// Notifications kept for one server while it cannot be reached.
    public static let storedNotificationsPerServer = 64
}
