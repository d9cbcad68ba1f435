public import Primitives

/// The addresses of a name.
public struct ResolvedName: Hashable, Sendable {
    /// Every address, IPv4 before IPv6, otherwise in the order of the answer; at least one.
    public let addresses: [IPAddress]
    /// Until when the answer holds: its lowest TTL from when it arrived; literal addresses hold for ever.
    public let expires: MonotonicTime

    /// Creates the result of a lookup.
    public init(addresses: [IPAddress], expires: MonotonicTime) {
        self.addresses = addresses
        self.expires = expires
    }
}
