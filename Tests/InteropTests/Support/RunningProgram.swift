import Foundation

/// A program that runs beside a test and ends with this object at the latest.
///
/// It runs under timeout(1), so that it ends too when the tests are killed.
final class RunningProgram {
    private let process = Process()
    private let folder: URL

    init(_ program: Program, _ arguments: [String], environment: [String: String] = [:], limit: Int) throws {
        self.folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("starling-interop-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        self.process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
        self.process.arguments = ["--kill-after=10", "\(limit)", program.path] + arguments
        self.process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        self.process.standardInput = FileHandle.nullDevice
        // Files, not pipes: nobody has to read along, and a program that says much never blocks.
        self.process.standardOutput = try Self.file(self.outputFile)
        self.process.standardError = try Self.file(self.errorFile)
        try self.process.run()
    }

    deinit {
        self.end()
        try? FileManager.default.removeItem(at: self.folder)
    }

    var output: String { Self.text(self.outputFile) }

    var errors: String { Self.text(self.errorFile) }

    var isRunning: Bool { self.process.isRunning }

    /// Waits for the end by itself, and returns the exit status.
    func waitForEnd() -> Int32 {
        self.process.waitUntilExit()
        return self.process.terminationStatus
    }

    /// Sends the signal that a terminal sends on Ctrl-C.
    func interrupt() { self.process.interrupt() }

    /// Asks the program to end, makes it end when it does not within two seconds, and waits until it has.
    func end() {
        guard self.process.isRunning else { return }
        self.process.terminate()
        try? waitUntil("the end of a program", limit: .seconds(2)) { !self.process.isRunning }
        // timeout(1) leads a process group, so that this reaches the program too.
        if self.process.isRunning { kill(-self.process.processIdentifier, SIGKILL) }
        self.process.waitUntilExit()
    }

    /// The rest of the first output line that starts with the prefix, as soon as there is one.
    func line(startingWith prefix: String, limit: Duration = .seconds(30)) throws -> String {
        var found: String?
        try waitUntil("\(prefix)… in the output of \(self.process.arguments?[2] ?? "")", limit: limit) {
            let lines = self.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            found = lines.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
            if found == nil, !self.isRunning { throw InteropError.endedEarly(self.output + self.errors) }
            return found != nil
        }
        return found ?? ""
    }

    private var outputFile: URL { self.folder.appendingPathComponent("output") }

    private var errorFile: URL { self.folder.appendingPathComponent("errors") }

    private static func file(_ url: URL) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: url.path, contents: nil)
        return try FileHandle(forWritingTo: url)
    }

    private static func text(_ url: URL) -> String {
        (try? Data(contentsOf: url)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

enum InteropError: Error {
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
