import BalancerEngine
import CoAPTransport
import Foundation
import Primitives
import ServiceSupport

/// The control socket of a balancer: one line answers one line.
final class BalancerDoor {
    private static let pageLength = 1000
    private static let maximumEndpoints = 1000

    private struct Refusal: Error {
        let cause: String
        let message: String

        init(_ cause: String, _ message: String) {
            self.cause = cause
            self.message = message
        }
    }

    private unowned let balancer: BootstrapBalancer
    private let socket: LineSocket
    private let encoder = JSONEncoder()
    private let decoder = JSONDecoder()

    init(path: String, balancer: BootstrapBalancer) throws(ServiceError) {
        self.balancer = balancer
        self.socket = try LineSocket(path: path, loop: balancer.loop)
        self.encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.socket.onLine = { [unowned self] client, line in self.take(line, from: client) }
    }

    func close() {
        self.socket.close()
    }

    private func take(_ line: [UInt8], from client: LineSocket.ClientID) {
        var reply: BalancerControlReply
        if let request = try? self.decoder.decode(BalancerControlRequest.self, from: Data(line)) {
            do throws(Refusal) {
                reply = try self.answer(request)
            } catch {
                reply = BalancerControlReply(id: request.id, kind: .error)
                (reply.cause, reply.message) = (error.cause, error.message)
            }
        } else {
            reply = BalancerControlReply(id: 0, kind: .error)
            (reply.cause, reply.message) = ("bad-request", "the line is no request")
        }
        guard let line = try? self.encoder.encode(reply) else { return }
        self.socket.send(Array(line), to: client)
    }

    private func answer(_ request: BalancerControlRequest) throws(Refusal) -> BalancerControlReply {
        var reply = BalancerControlReply(id: request.id, kind: .result)
        switch request.verb {
        case .status: reply.balancer = self.balancer.status
        case .names:
            let cursor = request.cursor ?? 0
            guard cursor >= 0 else {
                throw Refusal("bad-request", "the cursor is none")
            }
            let (page, next) = self.balancer.engine.names(from: cursor, limit: Self.pageLength)
            reply.kind = .page
            reply.names = page.map { .init(name: $0.name.string, address: $0.address.written) }
            reply.cursor = next
        case .device: reply.device = try self.device(request)
        case .rotate:
            self.balancer.log("operator", "an operator asks for a rotation")
            self.balancer.tell(.rotationRequested)
        case .takeOver:
            self.balancer.log("operator", "an operator lets this balancer take over the zone")
            self.balancer.tell(.takeOverRequested)
        case .needs:
            let endpoints = request.endpoints?.map(UTF8Text.init)
            guard endpoints?.count ?? 0 <= Self.maximumEndpoints else {
                throw Refusal("bad-request", "at most \(Self.maximumEndpoints) devices in one request")
            }
            self.balancer.tell(.devicesNeedBootstrap(endpoints))
        case .reload:
            do throws(ServiceError) { try self.balancer.reloadDevices() } catch {
                throw Refusal("not-readable", error.message)
            }
        }
        return reply
    }

    private func device(_ request: BalancerControlRequest) throws(Refusal) -> BalancerControlReply.Device {
        guard let endpoint = request.endpoints?.first, request.endpoints?.count == 1 else {
            throw Refusal("bad-request", "one device is asked for")
        }
        guard let progress = self.balancer.engine.progress(of: UTF8Text(endpoint)) else {
            throw Refusal("not-known", "no device of this name is known")
        }
        let phase =
            switch progress.phase {
            case .waiting: "waiting"
            case .started: "started"
            case .completed: "completed"
            }
        return BalancerControlReply.Device(
            endpoint: endpoint,
            phase: phase,
            instance: progress.instance.isEmpty ? nil : progress.instance.string,
            isRestarted: progress.isRestarted
        )
    }
}
