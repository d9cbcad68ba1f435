/// A session of a transport: a handle that stays safe after the session is gone.
public struct TransportSession: Hashable, Sendable {
    /// The place in the transport's table.
    let slot: UInt32
    /// Which use of that place; a handle from an earlier use means nothing.
    let generation: UInt32
}
