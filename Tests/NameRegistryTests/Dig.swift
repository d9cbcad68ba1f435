import CoAPTransport
import Foundation
import NameRegistry
import Testing

/// The program that people ask name servers with.
enum Dig {
    static let path = ["/usr/bin/dig", "/usr/local/bin/dig"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// What it prints about the responder's answer.
    static func ask(_ harness: ResponderHarness, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(self.path))
        let address = harness.responder.address
        let host = address.addressBytes.map(String.init).joined(separator: ".")
        process.arguments = ["@\(host)", "-p", "\(address.port)", "+time=5", "+tries=1", "-r"] + arguments
        // The output is short enough for the pipe: it is read after the end.
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        defer { if process.isRunning { process.terminate() } }
        try harness.turn { !process.isRunning }
        return String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    }
}
