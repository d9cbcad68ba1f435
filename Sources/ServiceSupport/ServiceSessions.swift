public import CoAPMessages
public import CoAPTransport

/// The sessions that peers opened to a service: the transport's events and an engine's wishes, each in the other's words.
///
/// Sessions that the service opens itself are not among them; their events are for whoever opened them.
public final class ServiceSessions {
    private let transport: CoAPTransport
    private var table = SessionTable()

    /// Creates the sessions of a service that has none yet.
    public init(transport: CoAPTransport) {
        self.transport = transport
    }

    /// How many sessions are open.
    public var count: Int { self.table.count }

    /// What an event of the transport means to an engine.
    ///
    /// - Returns: nil when it is not the engine's business; a request on a session that is not known is answered here.
    public func translate(_ event: TransportEvent) -> ServerEvent? {
        switch event {
        case .sessionAccepted(let session, _, let identity):
            return .sessionAccepted(
                self.table.add(session),
                identity: identity,
                serverName: identity == nil ? nil : self.transport.serverName(of: session)
            )
        case .sessionClosed(let session, _, _):
            return self.table.remove(session).map { .sessionClosed($0) }
        case .requestReceived(let exchange, let session, _, let request, _):
            guard let number = self.table[session] else {
                self.transport.respond(to: exchange, CoAPResponse(.serviceUnavailable))
                return nil
            }
            return .requestReceived(exchange, number, request)
        case .responseReceived(let session, _, let tag, let response):
            return self.table[session] == nil ? nil : .responseReceived(RequestID(rawValue: tag), response)
        case .requestFailed(let session, _, let tag, let failure):
            return self.table[session] == nil ? nil : .requestFailed(RequestID(rawValue: tag), failure)
        case .sessionConnected, .notificationAcknowledged, .notificationFailed: return nil
        }
    }

    /// Answers a request.
    public func respond(to exchange: ExchangeID, _ response: CoAPResponse) {
        self.transport.respond(to: exchange, response)
    }

    /// Sends a confirmable request.
    ///
    /// - Returns: what to tell the engine at once, when it could not be sent; nil when an answer or failure will follow.
    public func send(_ request: RequestID, on number: SessionID, _ message: CoAPRequest) -> ServerEvent? {
        do throws(TransportError) {
            guard let session = self.table[number] else { throw .sessionUnknown }
            try self.transport.send(message, on: session, tag: request.rawValue)
            return nil
        } catch {
            return .requestFailed(request, error == .sessionUnknown ? .sessionClosed : .notSent)
        }
    }

    /// Forgets the observation that a request began.
    public func cancelObservation(_ request: RequestID, on number: SessionID) {
        guard let session = self.table[number] else { return }
        self.transport.cancelObservation(requestTag: request.rawValue, on: session)
    }

    /// Closes a session; nothing is told about it afterwards.
    public func close(_ number: SessionID) {
        guard let session = self.table[number] else { return }
        _ = self.table.remove(session)
        self.transport.closeSession(session)
    }
}
