/// What a fleet measures the latency of; the raw value is the stable key in reports.
public enum FleetOperation: String, CaseIterable, Codable, Hashable, Sendable {
    /// From the moment a device was meant to start until it is registered, all handshakes included.
    case start
    /// A DTLS handshake; the first one of a device counts from its intended start.
    case handshake
    /// From the bootstrap request until Bootstrap-Finish was answered.
    case bootstrap
    /// A Register request until its answer.
    case register
    /// An Update request until its answer.
    case update
    /// From the moment a value was due to change until the server acknowledged the notification.
    case notify
    /// A Read, Observe or composite read of a server: from its arrival in the event loop until it was answered.
    case read
    /// A Write of a server, likewise.
    case write
    /// An Execute, Create, Delete, Discover or Write-Attributes of a server, likewise.
    case otherOperation
    /// From the wish to stop until the device has deregistered.
    case deregister

    /// Where the operation stands in arrays.
    var ordinal: Int {
        switch self {
        case .start: 0
        case .handshake: 1
        case .bootstrap: 2
        case .register: 3
        case .update: 4
        case .notify: 5
        case .read: 6
        case .write: 7
        case .otherOperation: 8
        case .deregister: 9
        }
    }
}
