public import CoAPMessages

/// Why a server does not do what a device asks.
///
/// - Source: LwM2M Core 1.2.2, clause 6.1.7.1, for the codes.
public enum BootstrapRefusal: Error, Hashable, Sendable, CaseIterable {
    /// The request makes no sense.
    case malformed
    /// The endpoint belongs to another identity.
    case identityMismatch
    /// Neither the request nor the handshake names the host that the device asked for.
    case missingHost
    /// The host is no name of this device.
    case unknownHost
    /// The host is a name that this device had in an earlier window.
    case expiredHost
    /// There is no plan or no secret for the device.
    case unknownEndpoint
    /// A bound was reached; the device may come again.
    case busy
    /// The server is about to end; the device may come again, to another one.
    case draining
    /// There is nothing at the path.
    case notFound
    /// The path takes another method.
    case methodNotAllowed
    /// The device wants to be written in a format that is not known here.
    case unsupportedFormat
    /// The device asks for a Bootstrap-Pack.
    case packNotImplemented
    /// What the device should get could not be made durable.
    case notStored

    /// The code that the device is told.
    public var code: CoAPCode {
        switch self {
        case .malformed, .unknownEndpoint: .badRequest
        case .identityMismatch, .missingHost, .unknownHost, .expiredHost: .forbidden
        case .busy, .draining: .serviceUnavailable
        case .notFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .unsupportedFormat: .unsupportedContentFormat
        case .packNotImplemented: .notImplemented
        case .notStored: .internalServerError
        }
    }
}
