import ClientEngine
import CoAPMessages
import FleetEngine

extension FailureCause {
    init(_ failure: SessionFailure) {
        switch failure {
        case .nameNotFound: self = .nameNotFound
        case .nameResolutionFailed: self = .nameResolutionFailed
        case .unreachable: self = .unreachable
        case .handshakeRefused: self = .handshakeRefused
        case .closed: self = .sessionClosed
        case .local: self = .local
        }
    }

    init(_ failure: RequestFailure) {
        switch failure {
        case .timedOut: self = .timedOut
        case .reset, .sessionClosed: self = .sessionClosed
        case .malformedAnswer: self = .malformedAnswer
        case .notSent: self = .local
        }
    }

    init(_ failure: BootstrapFailure) {
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
}
