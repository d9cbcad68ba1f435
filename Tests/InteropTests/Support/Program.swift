import Foundation

/// A program of this machine that a test starts.
struct Program: Sendable {
    let path: String

    /// The executable of this package, as built beside the tests; nil when only the tests were built.
    static let starling = Program(builtBesideTests: "starling")

    /// The peers of the package libcoap3-bin.
    static let coapResourceDirectory = Program(installed: "coap-rd-openssl")
    static let coapClient = Program(installed: "coap-client-openssl")

    /// The DNS servers of the packages bind9 and knot.
    static let bind = Program(installed: "named")
    static let knot = Program(installed: "knotd")

    /// The peers that `make install` puts into .venv from PyPI.
    static let aiocoapResourceDirectory = Program(inVirtualEnvironment: "aiocoap-rd")
    static let aiocoapClient = Program(inVirtualEnvironment: "aiocoap-client")
    /// What runs the scripts in `Peers`, beside aiocoap.
    static let python = Self.aiocoapClient.flatMap { _ in Program(inVirtualEnvironment: "python") }

    private init?(path: String) {
        guard FileManager.default.isExecutableFile(atPath: path) else { return nil }
        self.path = path
    }

    init?(installed name: String) {
        // Servers stand in a folder that is on the search path of few users.
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin") + ":/usr/sbin"
        let folders: [Substring] = path.split(separator: ":")
        guard let program = folders.lazy.compactMap({ Program(path: "\($0)/\(name)") }).first else { return nil }
        self = program
    }

    private init?(inVirtualEnvironment name: String) {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        self.init(path: root.appendingPathComponent(".venv/bin/\(name)").path)
    }

    private init?(builtBesideTests name: String) {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        self.init(path: tests.deletingLastPathComponent().appendingPathComponent(name).path)
    }
}

/// What a program that has ended left behind.
struct ProgramResult: Sendable {
    /// The exit status; 124 when the time was over, 128 and the signal's number when a signal ended it.
    let status: Int32
    let output: String
    let errors: String
}

extension Program {
    /// Runs the program to its end; it gets no input.
    ///
    /// - Parameter limit: seconds after which it is ended with status 124.
    func run(_ arguments: [String], environment: [String: String] = [:], limit: Int = 60) throws -> ProgramResult {
        let running = try RunningProgram(self, arguments, environment: environment, limit: limit)
        let status = running.waitForEnd()
        return ProgramResult(status: status, output: running.output, errors: running.errors)
    }
}
