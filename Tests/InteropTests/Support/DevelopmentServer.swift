import Foundation
import Testing

/// A `starling server` of a test, on ports of its own.
final class DevelopmentServer {
    /// For example `coaps://127.0.0.1:40001`.
    let secureURI: String
    /// For example `coap://127.0.0.1:40002`.
    let plainURI: String
    private let folder: TemporaryFolder
    private let process: RunningProgram
    private let program: Program

    init(_ program: Program) throws {
        self.program = program
        self.folder = try TemporaryFolder()
        self.process = try RunningProgram(
            program,
            [
                "server", "--listen", "coaps://127.0.0.1:0,coap://127.0.0.1:0", "--psk-key", SharedKey.hexadecimal,
                "--state", self.folder.path("state.sqlite"), "--control", self.folder.path("control"),
            ],
            limit: 120
        )
        _ = try self.process.line(startingWith: "control ")
        let addresses = self.process.output.split(separator: "\n").filter { $0.hasPrefix("listening ") }
            .map { String($0.dropFirst("listening ".count)) }
        self.secureURI = try #require(addresses.first { $0.hasPrefix("coaps://") })
        self.plainURI = try #require(addresses.first { $0.hasPrefix("coap://") })
    }

    /// Asks the server as a person would.
    func control(_ arguments: String...) throws -> ProgramResult {
        try self.program.run(["ctl"] + arguments + ["--control", self.folder.path("control")], limit: 20)
    }
}

/// A folder that goes away with this object.
final class TemporaryFolder {
    private let url: URL

    init() throws {
        self.url = FileManager.default.temporaryDirectory
            .appendingPathComponent("starling-interop-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: self.url) }

    func path(_ name: String) -> String { self.url.appendingPathComponent(name).path }

    /// Writes a file, and returns its path.
    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: self.url.appendingPathComponent(name))
        return self.path(name)
    }

    /// A file as text.
    func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: self.url.appendingPathComponent(name)), as: UTF8.self)
    }

    /// A JSON file as dictionaries, arrays, strings and numbers.
    func json(_ name: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(contentsOf: self.url.appendingPathComponent(name)))
    }
}
