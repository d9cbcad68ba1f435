import BalancerEngine
import NameRegistry
import Primitives
import Testing

/// Publishes a window's names and replaces them by those of the next, while somebody asks for them all the time.
///
/// A tenth of the names stands in both windows, as names of devices in progress do; every other one of them leads
/// elsewhere afterwards. What is new comes first, what is old goes afterwards.
struct ZoneRotation {
    /// What it took.
    struct Figures {
        var names = 0
        var loading = Duration.zero
        var rotating = Duration.zero
        /// Of the server, in seconds; with the answers to who asks.
        var loadingProcessorTime = 0.0
        var rotatingProcessorTime = 0.0
        /// Of the rotation alone.
        var messages: UInt64 = 0
        var bytesSent: UInt64 = 0
        var bytesReceived: UInt64 = 0
        var findings = NameSampler.Findings()
    }

    typealias Name = (name: String, address: [UInt8])

    /// So many names of this length fit into one message.
    private static let batchSize = 450

    private let server: NameServer
    private let client: RegistryClient
    private let old: [Name]
    private let new: [Name]
    private let kept: [Name]
    private let moved: [Name]

    init(of count: Int, at server: NameServer, seed: UInt64 = 1) throws {
        self.server = server
        self.client = try server.client(timeout: .seconds(60))
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567")
        func name() -> String {
            let label = (0..<16).map { _ in alphabet[Int.random(in: 0..<32, using: &generator)] }
            return "bs\(String(label)).\(server.zone)"
        }
        func names(_ count: Int, instance: UInt8) -> [Name] {
            (0..<count).map { (name(), [127, 0, instance, UInt8($0 % 3 + 11)]) }
        }
        self.kept = names(count / 10, instance: 0)
        self.old = names(count - count / 10, instance: 0)
        self.new = names(count - count / 10, instance: 1)
        self.moved = self.kept.enumerated().filter { $0.offset % 2 == 0 }.map { ($0.element.name, [127, 0, 1, 99]) }
    }

    /// Does it.
    func run() throws -> Figures {
        var figures = Figures()
        figures.names = self.kept.count + self.new.count
        let clock = ContinuousClock()
        let started = try self.processorTime()
        figures.loading = try clock.measure { try self.publish(self.kept + self.old) }
        figures.loadingProcessorTime = try self.processorTime() - started
        let loaded = try self.processorTime()
        let before = self.client.counters
        let (host, port) = try self.server.endpoint()
        let sampler = NameSampler(host: host, port: port, groups: self.groups, seed: 2)
        figures.rotating = try clock.measure {
            try self.publish(self.new) { sampler.setLive($0, ofGroup: 2) }
            try self.publish(self.moved)
            sampler.setLive(0, ofGroup: 1)
            // Removing takes less of a message than assigning.
            for start in stride(from: 0, to: self.old.count, by: 1400) {
                let names = self.old[start..<min(start + 1400, self.old.count)].map(\.name)
                try #require(try self.client.publish([], removing: names) == nil)
            }
        }
        figures.findings = sampler.end()
        figures.rotatingProcessorTime = try self.processorTime() - loaded
        figures.messages = self.client.counters.messagesSent - before.messagesSent
        figures.bytesSent = self.client.counters.bytesSent - before.bytesSent
        figures.bytesReceived = self.client.counters.bytesReceived - before.bytesReceived
        return figures
    }

    /// What the zone holds afterwards, as the server tells it.
    func isPublished() throws -> Bool {
        let found = Dictionary(try self.client.readNames().get().map { ($0.name, $0.address.bytes) }) { $1 }
        let expected = Dictionary((self.kept + self.moved + self.new).map { (UTF8Text($0.name), $0.address) }) { $1 }
        return found == expected
    }

    /// Names in both windows, names of the old one, and those of the new one, of which none is live yet.
    private var groups: [NameSampler.Live] {
        [
            .init(names: self.kept.map { ($0.name, [$0.address, [127, 0, 1, 99]]) }, count: self.kept.count),
            .init(names: self.old.map { ($0.name, [$0.address]) }, count: self.old.count),
            .init(names: self.new.map { ($0.name, [$0.address]) }, count: 0),
        ]
    }

    private func processorTime() throws -> Double { try #require(self.server.process.processorTime) }

    private func publish(_ names: [Name], progress: (Int) -> Void = { _ in }) throws {
        for start in stride(from: 0, to: names.count, by: ZoneRotation.batchSize) {
            let end = min(start + ZoneRotation.batchSize, names.count)
            try #require(try self.client.publish(Array(names[start..<end])) == nil)
            progress(end)
        }
    }
}

extension ZoneRotation.Figures {
    /// The figures as a few lines for people.
    func lines(of kind: NameServerKind) -> String {
        func seconds(_ duration: Duration) -> String { "\(Double(duration.nanoseconds / 10_000_000) / 100) s" }
        func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }
        func milliseconds(_ share: Double) -> String { "\((self.findings.wait(share: share) * 10).rounded() / 10) ms" }
        return """
            \(kind.rawValue): rotation of \(self.names) names
              loading   \(seconds(self.loading)), processor time of the server \(hundredths(self.loadingProcessorTime)) s
              rotating  \(seconds(self.rotating)), processor time of the server \
            \(hundredths(self.rotatingProcessorTime)) s, \(self.messages) messages, \(self.bytesSent) bytes sent, \
            \(self.bytesReceived) received
              samples   \(self.findings.samples) questions for live names: \(self.findings.missing.count) missing, \
            \(self.findings.wrong.count) wrong, \(self.findings.unanswered) unanswered; median \
            \(milliseconds(0.5)), p99 \(milliseconds(0.99)), slowest \(milliseconds(1))
            """
    }
}
