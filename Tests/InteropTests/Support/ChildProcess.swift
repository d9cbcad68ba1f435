import Foundation
import Glibc

/// A process that this one started, in a process group of its own.
final class ChildProcess {
    private let identifier: pid_t
    private var ended: Int32?

    /// Starts a program; it gets no input, and its output goes to files.
    ///
    /// - Parameter environment: every variable, as `NAME=value`.
    init(path: String, arguments: [String], environment: [String], outputPath: String, errorPath: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, outputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errorPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        posix_spawnattr_setpgroup(&attributes, 0)
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)

        var identifier: pid_t = 0
        let result = Self.withCStrings([path] + arguments) { arguments in
            Self.withCStrings(environment) { posix_spawn(&identifier, path, &actions, &attributes, arguments, $0) }
        }
        guard result == 0 else { throw InteropError.cannotStart(path, String(cString: strerror(result))) }
        self.identifier = identifier
    }

    deinit {
        if self.isRunning { self.end() }
    }

    var isRunning: Bool { self.check(WNOHANG) == nil }

    /// Waits for the end and returns the exit status; 128 and the signal's number when a signal ended it.
    func waitForEnd() -> Int32 { self.check(0) ?? -1 }

    /// Sends a signal once to what the process started directly, or to the process itself when that has ended.
    ///
    /// Not to the group: timeout(1) hands on what it is sent, and a program that is asked twice to end may not get to
    /// the end of what it does at the first.
    func signal(_ number: Int32) {
        let path = "/proc/\(self.identifier)/task/\(self.identifier)/children"
        let children = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let identifiers = children.split(separator: " ").compactMap { pid_t($0) }
        for identifier in identifiers.isEmpty ? [self.identifier] : identifiers { Glibc.kill(identifier, number) }
    }

    /// Ends the process and everything it started, as a crash would.
    func kill() {
        Glibc.kill(-self.identifier, SIGKILL)
        _ = self.waitForEnd()
    }

    /// Asks the process to end, makes it end when it does not within two seconds, and waits until it has.
    func end() {
        guard self.isRunning else { return }
        self.signal(SIGTERM)
        try? waitUntil("the end of a program", limit: .seconds(2)) { !self.isRunning }
        self.kill()
    }

    private func check(_ options: Int32) -> Int32? {
        if let ended { return ended }
        var status: Int32 = 0
        var result = waitpid(self.identifier, &status, options)
        while result < 0, errno == EINTR { result = waitpid(self.identifier, &status, options) }
        guard result != 0 else { return nil }
        let signal = status & 0x7F
        self.ended = result < 0 ? -1 : signal == 0 ? (status >> 8) & 0xFF : 128 + signal
        return self.ended
    }

    private static func withCStrings<Result>(
        _ strings: [String],
        _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = strings.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers + [nil])
    }
}
