import Foundation

/// A program that runs beside a test and ends with this object at the latest.
///
/// It runs under timeout(1), so that it ends too when the tests are killed.
final class RunningProgram {
    private let path: String
    private let folder: TemporaryFolder
    private let process: ChildProcess

    init(_ program: Program, _ arguments: [String], environment: [String: String] = [:], limit: Int) throws {
        self.path = program.path
        self.folder = try TemporaryFolder()
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Files, not pipes: nobody has to read along, and a program that says much never blocks.
        self.process = try ChildProcess(
            path: "/usr/bin/timeout",
            arguments: ["--foreground", "--kill-after=10", "\(limit)", program.path] + arguments,
            environment: variables.map { "\($0.key)=\($0.value)" },
            outputPath: self.folder.path("output"),
            errorPath: self.folder.path("errors")
        )
    }

    deinit { self.process.end() }

    var output: String { self.text("output") }

    var errors: String { self.text("errors") }

    var isRunning: Bool { self.process.isRunning }

    /// Waits for the end by itself, and returns the exit status.
    func waitForEnd() -> Int32 { self.process.waitForEnd() }

    /// Does what a terminal does on Ctrl-C.
    func interrupt() { self.process.signal(SIGINT) }

    /// Sends a signal to the program.
    func signal(_ number: Int32) { self.process.signal(number) }

    /// Ends the program as a crash would: it gets no chance to say or store anything.
    func kill() {
        self.process.kill()
    }

    /// Asks the program to end, makes it end when it does not, and waits until it has.
    func end() { self.process.end() }

    /// The rest of the first output line that starts with the prefix, as soon as there is one.
    func line(startingWith prefix: String, limit: Duration = .seconds(30)) throws -> String {
        var found: String?
        try waitUntil("\(prefix)… in the output of \(self.path)", limit: limit) {
            let hasEnded = !self.isRunning
            let lines = self.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            found = lines.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
            if found == nil, hasEnded { throw InteropError.endedEarly(self.output + self.errors) }
            return found != nil
        }
        return found ?? ""
    }

    private func text(_ name: String) -> String {
        (try? Data(contentsOf: URL(fileURLWithPath: self.folder.path(name)))).map {
            String(decoding: $0, as: UTF8.self)
        }
            ?? ""
    }
}

enum InteropError: Error {
    case cannotStart(String, String)
    case endedEarly(String)
    case noFreePort
    case notInTime(String)
}

/// Asks again and again until the answer is yes.
///
/// - Throws: ``InteropError/notInTime(_:)`` after the limit.
func waitUntil(_ what: String, limit: Duration = .seconds(30), _ isReached: () throws -> Bool) throws {
    let end = ContinuousClock.now + limit
    while try !isReached() {
        guard ContinuousClock.now < end else { throw InteropError.notInTime(what) }
        _ = poll(nil, 0, 10)
    }
}
