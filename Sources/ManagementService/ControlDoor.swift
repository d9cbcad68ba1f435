import CoAPMessages
import CoAPTransport
import Foundation
import LwM2MModel
import ManagementEngine
import Primitives
import ServiceSupport

/// The control socket of a service that manages devices: lines to commands, results and notifications to lines.
final class ControlDoor {
    private struct Asker {
        let client: LineSocket.ClientID
        let request: UInt64
        let verb: ControlRequest.Verb
        let endpoint: UTF8Text
        let path: ObjectPath
    }

    private struct Watched: Hashable {
        let endpoint: UTF8Text
        let path: ObjectPath
    }

    private struct Watcher: Equatable {
        let client: LineSocket.ClientID
        let request: UInt64
    }

    private static let pageLength = 256
    private static let maximumRequests = 4096
    /// The most requests that watch one path of one device.
    private static let maximumWatchers = 64

    private unowned let service: ManagementService
    private let socket: LineSocket
    private let encoder = JSONEncoder()
    private let decoder = JSONDecoder()
    private var lastAsker: UInt64 = 0
    /// Those who wait for a device.
    private var askers: [UInt64: Asker] = [:]
    /// Those who wait for the owner of the service.
    private var askersOfOwner: [UInt64: ControlAsker] = [:]
    private var watchers: [Watched: [Watcher]] = [:]
    private var eventWatchers: [Watcher] = []

    init(path: String, service: ManagementService) throws(ServiceError) {
        self.service = service
        self.socket = try LineSocket(path: path, loop: service.loop)
        self.encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.socket.onLine = { [unowned self] client, line in self.take(line, from: client) }
        self.socket.onClose = { [unowned self] client in self.forget(client) }
    }

    func close() {
        self.socket.close()
    }

    // MARK: Lines in

    private func take(_ line: [UInt8], from client: LineSocket.ClientID) {
        let request: ControlRequest
        do {
            request = try self.decoder.decode(ControlRequest.self, from: Data(line))
        } catch {
            self.refuse(ControlRefusal("bad-request", "the line is no request"), 0, client)
            return
        }
        do throws(ControlRefusal) {
            switch request.verb {
            case .list: try self.list(request, client)
            case .stats:
                var reply = ControlReply(id: request.id, kind: .stats, done: true)
                reply.stats = self.service.statistics
                self.send(reply, to: client)
            case .events:
                try Self.checkRoom(beside: self.eventWatchers.count)
                self.eventWatchers.append(Watcher(client: client, request: request.id))
            case let verb where verb.isOwners: try self.askOwner(request, client)
            default: try self.askDevice(request, client)
            }
        } catch {
            self.refuse(error, request.id, client)
        }
    }

    private static func checkRoom(beside count: Int) throws(ControlRefusal) {
        guard count < self.maximumRequests else {
            throw ControlRefusal("too-many-requests", "too many requests are unanswered")
        }
    }

    private func list(_ request: ControlRequest, _ client: LineSocket.ClientID) throws(ControlRefusal) {
        let now = self.service.loop.now
        var reply = ControlReply(id: request.id, kind: .page, done: true)
        if let endpoint = request.endpoint {
            guard let status = self.service.status(of: UTF8Text(endpoint)) else {
                throw ControlRefusal("not-registered", "no device of this name is registered")
            }
            reply.devices = [ControlDevice(status, now: now)]
        } else {
            let (page, next) = self.service.engine.registrations(from: request.cursor ?? 0, limit: Self.pageLength)
            reply.devices = page.map { ControlDevice($0, now: now) }
            reply.cursor = next
        }
        self.send(reply, to: client)
    }

    private func askDevice(_ request: ControlRequest, _ client: LineSocket.ClientID) throws(ControlRefusal) {
        guard let endpoint = request.endpoint.map({ UTF8Text($0) }) else {
            throw ControlRefusal("bad-request", "there is no endpoint")
        }
        guard let operation = try request.deviceOperation(registry: self.service.objects) else { return }
        try Self.checkRoom(beside: self.askers.count)
        self.lastAsker += 1
        let number = self.lastAsker
        self.askers[number] = Asker(
            client: client,
            request: request.id,
            verb: request.verb,
            endpoint: endpoint,
            path: operation.path
        )
        self.service.perform(operation, at: endpoint) { [unowned self] result in self.finish(number, result) }
    }

    private func askOwner(_ request: ControlRequest, _ client: LineSocket.ClientID) throws(ControlRefusal) {
        guard let answer = self.service.onOwnRequest else {
            throw ControlRefusal(
                "not-a-gateway",
                "this server has no command sessions; start 'starling gateway' for them"
            )
        }
        try Self.checkRoom(beside: self.askersOfOwner.count)
        self.lastAsker += 1
        let asker = ControlAsker(request, number: self.lastAsker, client: client, door: self)
        self.askersOfOwner[self.lastAsker] = asker
        answer(asker)
    }

    /// Lets somebody go who has been sent the last line.
    func release(_ number: UInt64) {
        self.askersOfOwner[number] = nil
    }

    private func forget(_ client: LineSocket.ClientID) {
        self.askers = self.askers.filter { $0.value.client != client }
        self.eventWatchers.removeAll { $0.client == client }
        for (number, asker) in self.askersOfOwner where asker.client == client {
            self.askersOfOwner[number] = nil
            asker.end(isGone: true)
        }
        // What nobody watches any more is not observed any more.
        for (watched, watchers) in self.watchers where watchers.contains(where: { $0.client == client }) {
            let left = watchers.filter { $0.client != client }
            self.watchers[watched] = left.isEmpty ? nil : left
            guard left.isEmpty else { continue }
            self.service.perform(.cancelObservation(watched.path), at: watched.endpoint) { _ in }
        }
    }

    // MARK: Lines out

    /// Tells the clients that asked for it.
    func tell(_ output: ManagementOutput) {
        switch output {
        case .notified(let endpoint, let path, let answer):
            for watcher in self.watchers[Watched(endpoint: endpoint, path: path)] ?? [] {
                var reply = ControlReply(id: watcher.request, kind: .notification, done: false)
                reply.endpoint = endpoint.string
                reply.path = path.text
                reply.take(answer)
                self.send(reply, to: watcher.client)
            }
        case .observationEnded(let endpoint, let path, let end):
            // An observation that takes the place of another serves those who watch.
            if end == .replaced { return }
            for watcher in self.watchers.removeValue(forKey: Watched(endpoint: endpoint, path: path)) ?? [] {
                var reply = ControlReply(id: watcher.request, kind: .end, done: true)
                reply.endpoint = endpoint.string
                reply.path = path.text
                (reply.cause, reply.message) = ControlNames.words(for: end)
                self.send(reply, to: watcher.client)
            }
        case .sent(let endpoint, let records):
            self.tellEvent("sent", endpoint, records.map(ControlNames.value))
        case .report(let report): self.tell(report)
        case .commandFinished, .store, .sendResponse, .sendRequest, .cancelObservation, .closeSession: break
        }
    }

    private func tell(_ report: ManagementReport) {
        guard !self.eventWatchers.isEmpty else { return }
        switch report {
        case .registered(let endpoint): self.tellEvent("registered", endpoint)
        case .updated(let endpoint): self.tellEvent("updated", endpoint)
        case .deregistered(let endpoint): self.tellEvent("deregistered", endpoint)
        case .expired(let endpoint): self.tellEvent("expired", endpoint)
        case .refused: break
        }
    }

    private func tellEvent(_ event: String, _ endpoint: UTF8Text, _ values: [ControlValue]? = nil) {
        for watcher in self.eventWatchers {
            var reply = ControlReply(id: watcher.request, kind: .event, done: false)
            reply.event = event
            reply.endpoint = endpoint.string
            reply.values = values
            self.send(reply, to: watcher.client)
        }
    }

    private func finish(_ number: UInt64, _ result: CommandResult) {
        guard let asker = self.askers.removeValue(forKey: number) else { return }
        var reply = ControlReply(id: asker.request, kind: .result, done: true)
        reply.endpoint = asker.endpoint.string
        reply.path = asker.path.text
        reply.take(result)
        let watched = Watched(endpoint: asker.endpoint, path: asker.path)
        if asker.verb == .observe, case .answered(let code, _) = result, code.isSuccess {
            guard self.watchers[watched]?.count ?? 0 < Self.maximumWatchers else {
                let refusal = ControlRefusal("too-many-requests", "too many requests watch this already")
                self.refuse(refusal, asker.request, asker.client)
                return
            }
            reply.done = false
            self.watchers[watched, default: []].append(Watcher(client: asker.client, request: asker.request))
        }
        self.send(reply, to: asker.client)
    }

    private func refuse(_ refusal: ControlRefusal, _ id: UInt64, _ client: LineSocket.ClientID) {
        self.send(ControlReply(id: id, refusal), to: client)
    }

    func send(_ reply: ControlReply, to client: LineSocket.ClientID) {
        guard let line = try? self.encoder.encode(reply) else { return }
        self.socket.send(Array(line), to: client)
    }
}
