import Primitives
import VirtualNetwork

/// What is sampled at equal intervals; the interval doubles whenever there are too many samples.
struct LoadCurves {
    static let longest = 1200

    private(set) var intervalSeconds = 1
    private(set) var bootstrapped: [Int] = []
    /// By server: nanoseconds busy in each interval.
    private(set) var busy: [[Int64]]
    private var busyBefore: [Int64]

    init(servers: Int) {
        self.busy = Array(repeating: [], count: servers)
        self.busyBefore = Array(repeating: 0, count: servers)
    }

    /// Takes the end of an interval.
    mutating func sample(bootstrapped: Int, loads: [ServiceLoad]) {
        self.bootstrapped.append(bootstrapped)
        for (server, load) in loads.enumerated() {
            let busy = load.busy.nanoseconds
            self.busy[server].append(busy - self.busyBefore[server])
            self.busyBefore[server] = busy
        }
        if self.bootstrapped.count == Self.longest { self.halve() }
    }

    /// The share of each interval in which a server was busy, in thousandths.
    func load(of server: Int) -> [Int] {
        self.busy[server].map { Int(($0 / Int64(self.intervalSeconds) + 500_000) / 1_000_000) }
    }

    private mutating func halve() {
        self.intervalSeconds *= 2
        self.bootstrapped = Self.everySecond(self.bootstrapped)
        for server in self.busy.indices {
            let samples = self.busy[server]
            self.busy[server] = stride(from: 1, to: samples.count, by: 2).map { samples[$0 - 1] + samples[$0] }
        }
    }

    private static func everySecond(_ samples: [Int]) -> [Int] {
        stride(from: 1, to: samples.count, by: 2).map { samples[$0] }
    }
}
