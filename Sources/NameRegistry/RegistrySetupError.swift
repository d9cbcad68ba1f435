/// Why a registry cannot be set up as it is configured.
public enum RegistrySetupError: Error, Hashable, Sendable {
    /// Somebody else listens on the address.
    case addressInUse
    /// This machine does not have the address, or may not use the port.
    case addressNotAvailable
    /// The key is empty.
    case invalidKey
    /// The name of the key is not a domain name.
    case invalidKeyName
    /// The zone is not a domain name, or so long that no name of it could be published.
    case invalidZone
    /// This machine has no thread, memory or descriptor left.
    case outOfResources
}
