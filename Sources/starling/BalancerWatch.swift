import BootstrapBalancer
import FleetConsole
import Foundation
import ServiceSupport
import Synchronization

/// Asks a balancer again and again, in a thread of its own, how devices spread over its instances.
///
/// A balancer that is away or slow costs the one who looks at ``spread`` nothing: the last answer stays.
final class BalancerWatch: Sendable {
    private static let patience: Int32 = 2_000
    private static let interval: TimeInterval = 0.5

    private let latest = Mutex<InstanceSpread?>(nil)
    private let isOver = Mutex(false)

    /// Starts asking at a control socket.
    init(path: String) {
        Thread.detachNewThread { [weak self] in
            var client: LineClient?
            while let watch = self, !watch.isOver.withLock({ $0 }) {
                if client == nil { client = try? LineClient(path: path) }
                if let spread = client.flatMap({ Self.ask($0) }) {
                    watch.latest.withLock { $0 = spread }
                } else {
                    client = nil
                }
                Thread.sleep(forTimeInterval: Self.interval)
            }
        }
    }

    /// The last answer; nil before the first.
    var spread: InstanceSpread? { self.latest.withLock { $0 } }

    /// Asks no more.
    func end() { self.isOver.withLock { $0 = true } }

    private static func ask(_ client: LineClient) -> InstanceSpread? {
        guard let request = try? JSONEncoder().encode(BalancerControlRequest(id: 1, verb: .status)),
            client.send(Array(request)), let line = client.receive(within: Self.patience),
            let reply = try? JSONDecoder().decode(BalancerControlReply.self, from: Data(line)),
            let status = reply.balancer
        else { return nil }
        return InstanceSpread(
            instances: status.instances.map { instance in
                InstanceSpread.Instance(
                    name: instance.name,
                    isUp: instance.isUp,
                    inProgress: instance.inProgress,
                    completed: Int(clamping: instance.completed)
                )
            },
            unknownNames: status.dns.map { Int(clamping: $0.nxdomain) }
        )
    }
}
