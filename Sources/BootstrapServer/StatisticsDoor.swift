import CoAPTransport
import Foundation
import ServiceSupport

/// The control socket of a bootstrap server: tells its counters, in the lines that `starling ctl stats` reads.
final class StatisticsDoor {
    private struct Request: Decodable {
        var id: UInt64
        var verb: String
    }

    private struct Reply: Encodable {
        var id: UInt64
        var done = true
        var kind = "stats"
        var stats: [String: UInt64]?
        var cause: String?
        var message: String?
    }

    private let socket: LineSocket
    private let statistics: () -> [String: UInt64]

    init(path: String, loop: EventLoop, statistics: @escaping () -> [String: UInt64]) throws(ServiceError) {
        self.socket = try LineSocket(path: path, loop: loop)
        self.statistics = statistics
        self.socket.onLine = { [unowned self] client, line in
            guard let reply = try? JSONEncoder().encode(self.answer(line)) else { return }
            self.socket.send(Array(reply), to: client)
        }
    }

    func close() {
        self.socket.close()
    }

    private func answer(_ line: [UInt8]) -> Reply {
        guard let request = try? JSONDecoder().decode(Request.self, from: Data(line)) else {
            return Reply(id: 0, kind: "error", cause: "bad-request", message: "the line is no request")
        }
        guard request.verb == "stats" else {
            return Reply(
                id: request.id,
                kind: "error",
                cause: "bad-request",
                message: "a bootstrap server only knows 'stats'"
            )
        }
        return Reply(id: request.id, stats: self.statistics())
    }
}
