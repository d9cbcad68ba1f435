internal import ClientEngine
internal import CoAPMessages
internal import CoAPTransport
internal import Primitives

// What the transport reports, translated for the engine it concerns.
extension DeviceRuntime {
    func handle(_ event: TransportEvent) {
        switch event {
        case .sessionConnected(_, let tag):
            if let tag = SessionTag(tag) { self.sessionConnected(tag) }
        case .sessionClosed(_, let tag, let failure):
            if let tag = SessionTag(tag) { self.sessionClosed(tag, failure) }
        case .requestReceived(let exchange, _, let tag, let request, let token):
            guard let tag = SessionTag(tag) else {
                self.transport.respond(to: exchange, CoAPResponse(.notFound))
                return
            }
            self.peerAnswered(tag)
            self.isAnswering = true
            self.deliver(.requestReceived(exchange, tag.session, request, token: token), place: tag.device)
            self.isAnswering = false
        case .responseReceived(_, let tag, let requestTag, let response):
            guard let tag = SessionTag(tag) else { return }
            self.peerAnswered(tag)
            self.deliver(.responseReceived(RequestID(rawValue: requestTag), response), place: tag.device)
        case .requestFailed(_, let tag, let requestTag, let failure):
            guard let tag = SessionTag(tag), self.has(tag.device),
                !self.goesElsewhere(tag, RequestID(rawValue: requestTag), failure)
            else { return }
            self.onReport(DeviceID(index: tag.device), .requestFailed(failure), self.loop.now)
            self.deliver(.requestFailed(RequestID(rawValue: requestTag), failure), place: tag.device)
        case .notificationAcknowledged(_, let tag, let notificationTag):
            guard let tag = SessionTag(tag) else { return }
            self.deliver(.notificationAcknowledged(NotificationID(rawValue: notificationTag)), place: tag.device)
        case .notificationFailed(_, let tag, let notificationTag, _, let failure):
            guard let tag = SessionTag(tag) else { return }
            self.deliver(.notificationFailed(NotificationID(rawValue: notificationTag), failure), place: tag.device)
        case .sessionAccepted:
            break
        }
    }
}
