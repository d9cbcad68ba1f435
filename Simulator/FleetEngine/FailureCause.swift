/// Why a device was not registered for a while, or never was.
public enum FailureCause: Hashable, Sendable {
    /// The bootstrap server refused, or what it wrote is not usable.
    case bootstrapFailed
    /// The device has no clock that it may trust, and may not use the static name.
    case clockUnknown
    /// The start waited longer than the fleet's patience and was given up.
    case dropped
    /// The handshake was refused: an unknown identity, a wrong key or no common cipher suite.
    case handshakeRefused
    /// This machine has no descriptor, port or memory left.
    case local
    /// An answer that could not be understood.
    case malformedAnswer
    /// The host name has no address.
    case nameNotFound
    /// A temporary name could not be derived: the secret is missing or too short.
    case nameNotDerived
    /// The resolver did not answer, or answered with a failure.
    case nameResolutionFailed
    /// The server refused the registration with a code, given as its byte on the wire.
    case refused(code: UInt8)
    /// The peer closed the session, or it was lost.
    case sessionClosed
    /// The host name has an address but nobody answered there.
    case unreachable
    /// No answer within the time allowed.
    case timedOut

    /// The stable name in reports; `"handshakeRefused"`, `"refused 4.03"`.
    public var name: String {
        switch self {
        case .bootstrapFailed: return "bootstrapFailed"
        case .clockUnknown: return "clockUnknown"
        case .dropped: return "dropped"
        case .handshakeRefused: return "handshakeRefused"
        case .local: return "local"
        case .malformedAnswer: return "malformedAnswer"
        case .nameNotDerived: return "nameNotDerived"
        case .nameNotFound: return "nameNotFound"
        case .nameResolutionFailed: return "nameResolutionFailed"
        case .refused(let code):
            let detail = code & 0x1F
            return "refused \(code >> 5)." + (detail < 10 ? "0\(detail)" : "\(detail)")
        case .sessionClosed: return "sessionClosed"
        case .unreachable: return "unreachable"
        case .timedOut: return "timedOut"
        }
    }

    /// What to check first, for people.
    public var hint: String {
        switch self {
        case .bootstrapFailed: "look at the bootstrap server's account for these endpoints"
        case .clockUnknown: "set this machine's clock, or let the profile fall back to the static URI"
        case .dropped: "lower --rate, raise --handshakes-in-flight, or give the server more CPU"
        case .handshakeRefused: "compare --psk-identity and --psk-key or --psk-secret with what the server has"
        case .local:
            "ports of this address are used up: --source-address 127.0.0.2,127.0.0.3; or descriptors: `ulimit -n`"
        case .malformedAnswer: "the peer may not be an LwM2M server; try one device with `starling device`"
        case .nameNotDerived: "temporary names need a secret of 16 bytes or more: see --psk-key and --psk-secret"
        case .nameNotFound, .nameResolutionFailed: "check the host name, --dns and, for temporary names, the balancer"
        case .refused: "the server refused the registration: check endpoint names, lifetime and accounts there"
        case .sessionClosed: "nobody listens there, or the server closed the session: check its address and limits"
        case .unreachable, .timedOut: "check that the server listens at that address and port and keeps up with --rate"
        }
    }
}
