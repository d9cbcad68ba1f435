internal import CoAPMessages
internal import Primitives

/// The parameters of a Bootstrap-Request: `POST /bs?ep=…&pct=…`.
///
/// - Source: LwM2M Core 1.2.2, clause 6.1.7.1.
struct BootstrapRequest: Sendable {
    private(set) var endpoint: UTF8Text?
    /// The format the device wants to be written in; TLV when it says nothing.
    private(set) var format = ContentFormat.tlv
    /// Where the device sent it.
    private(set) var address: RequestedAddress

    /// - Parameter serverName: the host that the handshake named; counts where the request names none.
    init(_ request: CoAPRequest, serverName: UTF8Text?) throws(BootstrapRefusal) {
        guard let path = request.path, let queries = request.query, queries.count <= 16,
            let hosts = request.options.texts(.uriHost), hosts.count <= 1, hosts.first?.isEmpty != true
        else { throw .malformed }
        let host = hosts.first.flatMap { UTF8Text(validating: $0.bytes.map(Ascii.lowercased)) } ?? serverName
        self.address = RequestedAddress(host: host, path: path.dropLast(), query: queries)
        if path.last == "bspack" { throw request.method == .get ? .packNotImplemented : .methodNotAllowed }
        guard path.last == "bs" else { throw .notFound }
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

    private static func format(_ digits: ArraySlice<UInt8>) throws(BootstrapRefusal) -> ContentFormat {
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
