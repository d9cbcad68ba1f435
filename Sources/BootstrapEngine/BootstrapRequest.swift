internal import CoAPMessages
internal import Primitives

/// The parameters of a Bootstrap-Request: `POST /bs?ep=…&pct=…`.
///
/// - Source: LwM2M Core 1.2.2, clause 6.1.7.1.
struct BootstrapRequest: Sendable {
    /// Why a request is not done.
    enum Refusal: Error, Equatable {
        case malformed
        case mismatch
        case unknownEndpoint
        case busy
        case notFound
        case methodNotAllowed
        case unsupportedFormat
        case packNotImplemented
        case notStored

        var code: CoAPCode {
            switch self {
            case .malformed, .unknownEndpoint: .badRequest
            case .mismatch: .forbidden
            case .busy: .serviceUnavailable
            case .notFound: .notFound
            case .methodNotAllowed: .methodNotAllowed
            case .unsupportedFormat: .unsupportedContentFormat
            case .packNotImplemented: .notImplemented
            case .notStored: .internalServerError
            }
        }
    }

    private(set) var endpoint: UTF8Text?
    /// The format the device wants to be written in; TLV when it says nothing.
    private(set) var format = ContentFormat.tlv

    init(_ request: CoAPRequest) throws(Refusal) {
        guard let path = request.path, let queries = request.query, queries.count <= 16 else { throw .malformed }
        if path == ["bspack"] { throw request.method == .get ? .packNotImplemented : .methodNotAllowed }
        guard path == ["bs"] else { throw .notFound }
        guard request.method == .post else { throw .methodNotAllowed }
        var hasFormat = false
        for query in queries {
            let parts = query.bytes.split(separator: Ascii.equals, maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? parts[1] : []
            if parts[0].elementsEqual("ep".utf8) {
                guard self.endpoint == nil, (1...255).contains(value.count) else { throw .malformed }
                guard let endpoint = UTF8Text(validating: Array(value)) else { throw .malformed }
                self.endpoint = endpoint
            } else if parts[0].elementsEqual("pct".utf8) {
                guard !hasFormat else { throw .malformed }
                hasFormat = true
                self.format = try Self.format(value)
            }
        }
    }

    private static func format(_ digits: ArraySlice<UInt8>) throws(Refusal) -> ContentFormat {
        guard (1...5).contains(digits.count), digits.allSatisfy(Ascii.isDigit) else { throw .malformed }
        let number = digits.reduce(0) { $0 * 10 + Int($1 - Ascii.zero) }
        guard let value = UInt16(exactly: number) else { throw .malformed }
        let format = ContentFormat(rawValue: value)
        switch format {
        case .tlv, .senMLJSON, .senMLCBOR: return format
        default: throw .unsupportedFormat
        }
    }
}
