public import ClientEngine
public import CoAPMessages
public import DeviceStore
public import Primitives

/// What a device did, for whoever watches or measures it.
public enum DeviceReport: Sendable {
    /// The engine reports progress or a failure.
    case client(ClientReport)
    /// A session is open; its attempt began at the given time, so that the difference is the handshake.
    case sessionOpened(since: MonotonicTime)
    /// A session could not be opened at any address, or ended.
    case sessionFailed(SessionFailure)
    /// A request of the device got no answer.
    case requestFailed(RequestFailure)
    /// What the device had to keep could not be stored, or not be read at its restart.
    case storageFailed(DeviceStoreError)
}
