import CoAPMessages
import Primitives
import ServiceSupport

/// The resource at which a balancer learns the devices' credentials: `GET /credentials?after=EP&count=N`.
///
/// Only those who read may ask, over a secured session of their own, and they may ask for nothing else. A page holds
/// at most 200 credentials in the order of the endpoint names; one that holds fewer than were asked for is the last.
struct CredentialsResource {
    /// Requests for credentials that were refused with 4.03.
    private var refused: UInt64 = 0
    /// Pages that were given.
    private var pages: UInt64 = 0

    private let readers: CredentialTable
    /// Those with a name that fits a query, in the order of the names' bytes.
    private let devices: [Credential]
    private var readingSessions: Set<SessionID> = []

    init(readers: CredentialTable, devices: CredentialTable) {
        self.readers = readers
        self.devices = devices.all
            .filter { $0.endpoint.bytes.count <= CredentialPage.longestEndpoint }
            .sorted { $0.endpoint.bytes.lexicographicallyPrecedes($1.endpoint.bytes) }
    }

    /// What was counted, by the names that people and machines see.
    var statistics: [String: UInt64] {
        ["credentialPages": self.pages, "credentialsRefused": self.refused]
    }

    /// Takes what happens on the server's sessions.
    ///
    /// - Returns: the answer to a request that is no device's; nil when the event is for the engine.
    mutating func take(_ event: ServerEvent) -> CoAPResponse? {
        switch event {
        case .sessionAccepted(let session, let identity, _):
            self.readingSessions.remove(session)
            if let identity, self.readers.credential(of: identity) != nil { self.readingSessions.insert(session) }
        case .sessionClosed(let session): self.readingSessions.remove(session)
        case .requestReceived(_, let session, let request):
            let asksForCredentials = request.path == ["credentials"]
            guard self.readingSessions.contains(session) else {
                guard asksForCredentials else { return nil }
                self.refused += 1
                return CoAPResponse(.forbidden)
            }
            guard asksForCredentials else { return CoAPResponse(.forbidden) }
            return self.answer(request)
        case .responseReceived, .requestFailed: break
        }
        return nil
    }

    private mutating func answer(_ request: CoAPRequest) -> CoAPResponse {
        guard request.method == .get else { return CoAPResponse(.methodNotAllowed) }
        var after: [UInt8] = []
        var count = CredentialPage.maximumCount
        for option in request.options.all where option.number == .uriQuery {
            if option.value.starts(with: "after=".utf8) {
                after = Array(option.value.dropFirst(6))
            } else if option.value.starts(with: "count=".utf8),
                let number = Int(String(decoding: option.value.dropFirst(6), as: UTF8.self)),
                (1...CredentialPage.maximumCount).contains(number)
            {
                count = number
            } else {
                return CoAPResponse(.badRequest)
            }
        }
        self.pages += 1
        let start = after.isEmpty ? 0 : self.firstIndex(after: after)
        let page = Array(self.devices[start...].prefix(count))
        return CoAPResponse(.content, contentFormat: .json, payload: CredentialPage.encode(page))
    }

    /// The place of the first device whose name follows another name.
    private func firstIndex(after name: [UInt8]) -> Int {
        var range = 0..<self.devices.count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            if name.lexicographicallyPrecedes(self.devices[middle].endpoint.bytes) {
                range = range.lowerBound..<middle
            } else {
                range = (middle + 1)..<range.upperBound
            }
        }
        return range.lowerBound
    }
}
