import Foundation
import Glibc

/// The process of a DNS server of a test, which ends with this object.
final class ZoneServerProcess {
    private let program: Program
    private let arguments: [String]
    private let probeAddress: (host: String, port: UInt16)
    private let zone: String
    private let processFile: String
    private var running: RunningProgram?
    private var earlierErrors = ""

    /// - Parameter processFile: where the server writes its process number.
    init(
        _ program: Program,
        _ arguments: [String],
        zone: String,
        host: String,
        port: UInt16,
        processFile: String
    ) {
        self.program = program
        self.arguments = arguments
        self.zone = zone
        self.probeAddress = (host, port)
        self.processFile = processFile
    }

    /// What it said so far, for a test that fails.
    var errors: String { self.earlierErrors + (self.running?.errors ?? "") }

    /// Starts it, and waits until it answers for the zone.
    func start() throws {
        // One that was killed leaves its number behind, and may not be cleared away by the system yet.
        unlink(self.processFile)
        let running = try RunningProgram(self.program, self.arguments, limit: 900)
        self.running = running
        let probe = NameProbe(host: self.probeAddress.host, port: self.probeAddress.port)
        try waitUntil("the SOA record of \(self.zone)", limit: .seconds(20)) {
            guard running.isRunning else { throw InteropError.endedEarly(running.output + running.errors) }
            return probe.ask(self.zone, .soa, milliseconds: 50)?.hasRecords == true
        }
    }

    /// Ends it as its administrator would.
    func stop() {
        self.running?.end()
        self.forget()
    }

    /// Ends it as a power cut would.
    func kill() {
        self.running?.kill()
        self.forget()
    }

    /// How much processor time it has taken, in seconds; nil when the system does not say.
    var processorTime: Double? {
        guard let number = try? String(contentsOfFile: self.processFile, encoding: .utf8),
            let stat = try? String(
                contentsOfFile: "/proc/\(number.trimmingCharacters(in: .whitespacesAndNewlines))/stat",
                encoding: .utf8
            )
        else { return nil }
        // Behind the name in brackets: the state first, user and system time as the 12th and 13th.
        let fields = stat.split(separator: ")").last?.split(separator: " ").map(String.init) ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Has it read its configuration again.
    func reload() { self.running?.signal(SIGHUP) }

    /// Keeps it from doing anything, without ending it.
    func pause() { self.running?.signal(SIGSTOP) }

    /// Lets it go on.
    func resume() { self.running?.signal(SIGCONT) }

    private func forget() {
        self.earlierErrors = self.errors
        self.running = nil
    }
}
