public import CoAPTransport

/// Why a service cannot start or go on, said for people.
public struct ServiceError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What went wrong; no secret in it.
    public let message: String
    /// What to check next.
    public let hint: String

    /// Creates an error from both sentences.
    public init(_ message: String, hint: String) {
        self.message = message
        self.hint = hint
    }

    /// Puts an error of the transport into words.
    ///
    /// - Parameters:
    ///   - error: what the transport said.
    ///   - subject: the address or thing it is about.
    public init(_ error: TransportError, about subject: String) {
        switch error {
        case .addressInUse:
            self.init(
                "\(subject) is in use",
                hint: "another server listens there; choose another port, or 0 for any free one"
            )
        case .addressNotAvailable:
            self.init("\(subject) is not an address of this machine", hint: "'ip address' shows those it has")
        case .invalidAddress:
            self.init(
                "\(subject) cannot be listened on",
                hint: "write it as coaps://127.0.0.1:5684 or coaps://[::1]:5684"
            )
        case .descriptorLimit(let limit, let needed):
            self.init(
                "\(needed) descriptors are needed and \(limit) are allowed",
                hint: "raise the limit with 'ulimit -n', or run several servers"
            )
        case .unsupported:
            self.init("the CoAP library has no DTLS", hint: "install libcoap3-openssl (Debian: libcoap3-dev)")
        case .invalidKey, .tooManySessions, .outOfResources, .sessionUnknown, .tooLarge:
            self.init("the system has no memory, port or descriptor left for \(subject)", hint: "see 'ulimit -a'")
        }
    }

    /// Both sentences.
    public var description: String { "\(self.message) (\(self.hint))" }
}
