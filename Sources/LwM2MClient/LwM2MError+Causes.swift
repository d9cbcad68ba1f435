internal import ClientEngine
internal import CoAPMessages
internal import CoAPTransport
internal import DeviceStore
internal import NameResolution

// From the closed errors of the parts to the open one of the library, with what people should check.
extension LwM2MError {
    init(_ failure: SessionFailure) {
        switch failure {
        case .nameNotFound:
            self.init(
                .nameNotFound,
                "The server's name has no address.",
                hint: "Check the host in the server URI, and which DNS servers the configuration names.",
                underlying: failure
            )
        case .nameResolutionFailed:
            self.init(
                .nameNotFound,
                "No DNS server resolved the server's name.",
                hint: "Check the network and the DNS servers of the system or of the configuration.",
                underlying: failure
            )
        case .unreachable:
            self.init(
                .unreachable,
                "Nothing answers at the server's address.",
                hint: "Check the port, whether the server runs, and whether a firewall lets UDP pass.",
                underlying: failure
            )
        case .handshakeRefused:
            self.init(
                .handshakeRefused,
                "The server refused the DTLS handshake.",
                hint: "Check that the server knows this PSK identity, that both hold the same key, and that the server "
                    + "allows one of the PSK cipher suites.",
                underlying: failure
            )
        case .closed:
            self.init(.unreachable, "The server closed the session.", underlying: failure)
        case .local:
            self.init(
                .local,
                "This machine could not open the session.",
                hint: "Check the descriptor limit (ulimit -n), the routes, and that the key has 1 to 64 bytes.",
                underlying: failure
            )
        }
    }

    init(_ failure: RequestFailure) {
        switch failure {
        case .timedOut:
            self.init(
                .timedOut,
                "The server did not answer.",
                hint: "Check that the server runs and that the path to it carries UDP both ways.",
                underlying: failure
            )
        case .reset: self.init(.unreachable, "The server answered with Reset.", underlying: failure)
        case .sessionClosed: self.init(.unreachable, "The session ended before the answer.", underlying: failure)
        case .malformedAnswer: self.init(.malformedAnswer, "The answer was malformed.", underlying: failure)
        case .notSent: self.init(.local, "The request could not be sent.", underlying: failure)
        }
    }

    init(_ failure: RegistrationFailure) {
        switch failure {
        case .unusableAccount: self = .unusableAccount(failure)
        case .session(let cause): self.init(cause)
        case .request(let cause): self.init(cause)
        case .rejected(let code): self = .rejected(code, "registration", failure)
        case .malformedAnswer:
            self.init(.malformedAnswer, "The answer to Register names no location.", underlying: failure)
        case .gaveUp:
            self.init(
                .timedOut,
                "Every attempt to register failed.",
                hint: "The failures before this one say why; resources 17 to 20 of object 1 set how often is tried.",
                underlying: failure
            )
        }
    }

    init(_ failure: BootstrapFailure) {
        switch failure {
        case .noAccount:
            self.init(
                .noAccount,
                "Neither a server nor a bootstrap server is known.",
                hint: "Give the configuration one of them.",
                underlying: failure
            )
        case .unusableAccount: self = .unusableAccount(failure)
        case .session(let cause): self.init(cause)
        case .request(let cause): self.init(cause)
        case .rejected(let code): self = .rejected(code, "bootstrap", failure)
        case .timedOut:
            self.init(
                .timedOut,
                "The bootstrap server did not finish.",
                hint: "Check in its log whether it has something to deliver for this endpoint.",
                underlying: failure
            )
        case .inconsistent:
            self.init(
                .inconsistentBootstrap,
                "What the bootstrap server delivered does not fit together.",
                hint: "Each server needs one Security and one Server instance with the same short server ID.",
                underlying: failure
            )
        case .storage:
            self.init(.storage, "What the bootstrap server delivered could not be stored.", underlying: failure)
        case .clockUnknown:
            self.init(
                .clockUnknown,
                "The temporary bootstrap name follows from the time, which is not known.",
                hint: "Set the clock, or let the profile fall back to the static URI.",
                underlying: failure
            )
        case .noName:
            self.init(
                .nameNotFound,
                "No temporary bootstrap name has an address.",
                hint: "Check that the balancer knows this device and its key, that both have the same profile and the "
                    + "right time, and which DNS servers the configuration names.",
                underlying: failure
            )
        case .derivation:
            self.init(
                .invalidConfiguration,
                "The temporary bootstrap name cannot be derived.",
                hint: "The key needs 16 bytes, and the profile must fit the URI and the endpoint name.",
                underlying: failure
            )
        }
    }

    init(_ error: DeviceStoreError) {
        let hint =
            switch error {
            case .folderUnusable: "Check that the store's parent folder exists and that this user may write there."
            case .storageFull: "Free space on the store's disk; what was stored before is untouched."
            case .writeFailed, .readFailed: "Check the disk and the rights of the store's folder."
            case .corrupt: "The file was torn or changed; remove it to start from the configuration again."
            case .unsupportedVersion: "A newer version of this library wrote it; remove it or use that version."
            case .tooLarge: "A server wrote more than a device keeps."
            }
        self.init(.storage, "The store failed: \(error).", hint: hint, underlying: error)
    }

    init(_ error: TransportError) {
        switch error {
        case .descriptorLimit(let limit, let needed):
            self.init(
                .local,
                "The process may open \(limit) descriptors, and \(needed) are needed.",
                hint: "Raise the limit with ulimit -n.",
                underlying: error
            )
        case .unsupported:
            self.init(
                .local,
                "The CoAP library lacks what this needs.",
                hint: "Install libcoap with OpenSSL (Debian: libcoap3-dev).",
                underlying: error
            )
        default:
            self.init(.local, "The transport could not start: \(error).", underlying: error)
        }
    }

    init(_ error: NameResolutionError) {
        if case .invalidServer(let index) = error {
            self.init(
                .invalidConfiguration,
                "DNS server number \(index + 1) is not an address with a port.",
                hint: "Write 192.0.2.53, 192.0.2.53:53 or [2001:db8::53]:53.",
                underlying: error
            )
        } else {
            self.init(.local, "The resolver could not start.", underlying: error)
        }
    }

    private static func unusableAccount(_ cause: any Error) -> LwM2MError {
        LwM2MError(
            .invalidConfiguration,
            "A server's account cannot be used.",
            hint: "Its URI must be coap:// without security or coaps:// with a pre-shared key.",
            underlying: cause
        )
    }

    private static func rejected(_ code: CoAPCode, _ what: String, _ cause: any Error) -> LwM2MError {
        let hint =
            switch code {
            case .badRequest: "Check the endpoint name and the LwM2M version."
            case .forbidden, .unauthorized: "Check that the server knows this endpoint and that it fits the identity."
            case .notFound: "The server knows no such endpoint or does not serve LwM2M there."
            case .preconditionFailed: "The server does not speak this LwM2M version."
            default: ""
            }
        return LwM2MError(
            .rejected,
            "The server refused the \(what) with \(code).",
            hint: hint,
            response: code,
            underlying: cause
        )
    }
}
