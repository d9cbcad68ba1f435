public import ClientEngine
public import CoAPMessages

extension FailureCause {
    /// Why a session failed, as a fleet counts it.
    public init(_ failure: SessionFailure) {
        switch failure {
        case .nameNotFound: self = .nameNotFound
        case .nameResolutionFailed: self = .nameResolutionFailed
        case .unreachable: self = .unreachable
        case .handshakeRefused: self = .handshakeRefused
        case .closed: self = .sessionClosed
        case .local: self = .local
        }
    }

    /// Why a request failed, as a fleet counts it.
    public init(_ failure: RequestFailure) {
        switch failure {
        case .timedOut: self = .timedOut
        case .reset, .sessionClosed: self = .sessionClosed
        case .malformedAnswer: self = .malformedAnswer
        case .notSent: self = .local
        }
    }

    /// Why a bootstrap failed, as a fleet counts it.
    public init(_ failure: BootstrapFailure) {
        switch failure {
        case .session(let failure): self.init(failure)
        case .request(let failure): self.init(failure)
        case .rejected(let code): self = .refused(code: code.rawValue)
        case .timedOut: self = .timedOut
        case .clockUnknown: self = .clockUnknown
        case .noName: self = .nameNotFound
        case .derivation: self = .nameNotDerived
        case .noAccount, .unusableAccount, .inconsistent, .storage: self = .bootstrapFailed
        }
    }

    /// Why a registration failed; nil for the end of all attempts, whose causes were reported one by one.
    public init?(_ failure: RegistrationFailure) {
        switch failure {
        case .session(let failure): self.init(failure)
        case .request(let failure): self.init(failure)
        case .rejected(let code): self = .refused(code: code.rawValue)
        case .malformedAnswer: self = .malformedAnswer
        case .unusableAccount: self = .bootstrapFailed
        case .gaveUp: return nil
        }
    }
}
