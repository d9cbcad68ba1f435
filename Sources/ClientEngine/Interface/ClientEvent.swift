public import CoAPMessages
public import LwM2MModel
public import Primitives

/// A notification that was sent and waits for its acknowledgement; unique within the engine that sent it.
public struct NotificationID: Hashable, Sendable {
    /// The number the engine gave it.
    public let rawValue: UInt32

    /// Creates an identifier from its number.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// A configuration on its way to durable storage; unique within the engine that asked.
public struct StorageID: Hashable, Sendable {
    /// The number the engine gave it.
    public let rawValue: UInt32

    /// Creates an identifier from its number.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// What happened, told to ``ClientEngine`` by its driver.
public enum ClientEvent: Equatable, Sendable {
    /// The device starts; the first event.
    case started
    /// The time of ``ClientEngine/nextDeadline`` has come; harmless when it has not.
    case deadlineReached
    /// Deregister everywhere, then report that the device stopped.
    case stopRequested
    /// The civil time is known; resource /3/0/13 counts on from here.
    case clockSet(WallTime)
    /// The civil time is no longer to be trusted.
    case clockLost
    /// The session is open: the handshake is done; with the address of the peer, where the driver knows it.
    case sessionOpened(SessionID, peerAddress: IPAddress? = nil)
    /// An open session goes on at another address of its peer.
    case peerMoved(SessionID, IPAddress)
    /// The session could not be opened, or ended; not after the engine closed it.
    case sessionClosed(SessionID, SessionFailure)
    /// A server asks for something; answered by one ``ClientOutput/sendResponse(_:_:)``.
    case requestReceived(ExchangeID, SessionID, CoAPRequest, token: CoAPToken)
    /// The answer to a request of the engine.
    case responseReceived(RequestID, CoAPResponse)
    /// There will be no answer.
    case requestFailed(RequestID, RequestFailure)
    /// The server acknowledged a confirmable notification.
    case notificationAcknowledged(NotificationID)
    /// The server rejected a notification, or did not acknowledge a confirmable one.
    case notificationFailed(NotificationID, RequestFailure)
    /// The embedder sets resources of its own; read-only ones too. Values that do not fit are left out.
    case valueSet([ResourceRecord])
    /// The embedder removes a resource or resource instance.
    case valueRemoved(ObjectPath)
    /// The embedder adds an instance to a hosted object, in place of one that is there.
    case instanceAdded(object: UInt16, instance: UInt16, [ResourceRecord])
    /// The embedder removes an instance.
    case instanceRemoved(ObjectPath)
    /// The embedder adds an object, in place of one that is there; not 0 or 1.
    case objectAdded(HostedObject)
    /// The embedder executed a resource: 2.04, or an error code.
    case executed(ExchangeID, CoAPCode)
    /// The embedder decided a write: 2.04 does it, an error code refuses it.
    case writeDecided(ExchangeID, CoAPCode)
    /// The configuration is durable.
    case stored(StorageID)
    /// The configuration could not be stored.
    case storageFailed(StorageID)
    /// Send a registration update now, or register again after giving up; nil means every server.
    case updateRequested(shortServerID: UInt16?)
}
