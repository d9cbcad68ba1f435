import CLibCoAP
import CoAPMessages
import Primitives

/// What the transport knows about one session.
struct SessionRecord {
    enum State: UInt8 {
        case free
        /// The handshake runs, or the plain session is not reported yet.
        case opening
        case open
        /// Asked to be closed while the library still works with it.
        case closing
    }

    /// The library's session; nil while the place is free.
    var pointer: OpaquePointer?
    var generation: UInt32 = 0
    var state = State.free
    var isClient = false
    /// A close has been reported, or was asked for: no event follows.
    var isSilent = false
    var isSecured = false
    /// The library said that the handshake met an alert or a failure.
    var handshakeFailed = false
    /// Which context it lives in.
    var context: Int32 = -1
    var tag: UInt64 = 0
    /// Requests of ours that wait for answers, and observations.
    var requests: [PendingRequest] = []
}

/// A request of ours that waits for its answer, or an observation that waits for notifications.
struct PendingRequest {
    let token: UInt32
    let requestTag: UInt32
    let messageID: UInt16
    let request: CoAPRequest
    var isAnswered = false

    var isObservation: Bool { self.request.options.observe == 0 }
}
