/// Why the transport could not do what was asked; what people should check next is said by who shows it.
public enum TransportError: Error, Hashable, Sendable {
    /// The process may not open enough descriptors: `limit` are allowed, `needed` would be.
    case descriptorLimit(limit: Int, needed: Int)
    /// Somebody else listens on the address.
    case addressInUse
    /// This machine does not have the address.
    case addressNotAvailable
    /// The address is not one that can be used here: no port, or another family than the peer's.
    case invalidAddress
    /// The key is empty or longer than 64 bytes, or the identity is empty or longer than 255.
    case invalidKey
    /// The table of sessions is full.
    case tooManySessions(limit: Int)
    /// Memory, a descriptor or a port is missing.
    case outOfResources
    /// The handle names no session that is open.
    case sessionUnknown
    /// The body is larger than the configuration allows, or the options do not fit into a datagram.
    case tooLarge
    /// The CoAP library was built without what this needs.
    case unsupported
}
