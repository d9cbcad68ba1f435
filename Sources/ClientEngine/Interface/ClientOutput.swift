public import CoAPMessages
public import LwM2MModel
public import Primitives

/// How a session proves who its ends are.
public enum SessionCredentials: Equatable, Sendable {
    /// No security.
    case none
    /// DTLS with a pre-shared key.
    case preSharedKey(identity: [UInt8], key: SecretBytes)
}

/// What the driver of ``ClientEngine`` must do next.
public enum ClientOutput: Equatable, Sendable {
    /// Open a session; answered by ``ClientEvent/sessionOpened(_:)`` or ``ClientEvent/sessionClosed(_:_:)``.
    ///
    /// The identifier is below 256 and not in use; the driver resolves the host.
    case openSession(SessionID, CoAPURI, SessionCredentials)
    /// Drop what is known of a host, so that the ``openSession(_:_:_:)`` that follows resolves it anew.
    case forgetName(UTF8Text)
    /// Close a session, whether open or being opened; nothing is reported about it afterwards.
    case closeSession(SessionID)
    /// Send a confirmable request; answered by one response or one failure.
    case sendRequest(RequestID, SessionID, CoAPRequest)
    /// Answer a request.
    case sendResponse(ExchangeID, CoAPResponse)
    /// Send a notification; a confirmable one is answered by its acknowledgement or failure.
    case sendNotification(NotificationID, SessionID, CoAPToken, CoAPResponse, isConfirmable: Bool)
    /// Store durably; answered by ``ClientEvent/stored(_:)`` or ``ClientEvent/storageFailed(_:)``.
    case store(StorageID, StoredConfiguration)
    /// Execute a resource; answered by ``ClientEvent/executed(_:_:)``. The arguments are well-formed.
    case execute(ExchangeID, ObjectPath, arguments: [UInt8])
    /// Decide whether a write may be done; answered by ``ClientEvent/writeDecided(_:_:)``.
    case decideWrite(ExchangeID, [ResourceRecord])
    /// Tell the embedder.
    case report(ClientReport)
}

#if !hasFeature(Embedded)
    extension SessionCredentials: CustomStringConvertible, CustomReflectable {
        /// Which kind it is; neither the identity nor the key.
        public var description: String {
            switch self {
            case .none: "no security"
            case .preSharedKey: "pre-shared key"
            }
        }

        /// An empty mirror, so that dumping an enclosing value shows nothing.
        public var customMirror: Mirror { Mirror(self, children: []) }
    }
#endif
