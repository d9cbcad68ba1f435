import Foundation
import Primitives
import ServiceSupport
import Testing

/// Keys in files: a list of processes shows arguments to everybody on the machine.
@Suite struct KeyFileTests {
    private func read(_ content: [UInt8]) throws -> SecretBytes {
        let path = FileManager.default.temporaryDirectory.appending(path: "key-\(UUID().uuidString)").path
        try Data(content).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try DeviceKeys.readKey("@\(path)", option: "--psk-key")
    }

    @Test func aFileHoldsTheDigits() throws {
        #expect(try self.read(Array(" 00ff10\n".utf8)) == SecretBytes([0, 0xFF, 0x10]))
    }

    @Test(arguments: ["", "c0ffee-c0ffee", String(repeating: "c0ffee", count: 2_000), "\u{0}\u{0}"])
    func otherFilesAreRefusedWithoutShowingThem(_ text: String) throws {
        do {
            _ = try self.read(Array(text.utf8))
            Issue.record("this is no key")
        } catch let error as ServiceError {
            #expect(!error.description.contains("c0ffee"))
            #expect(!error.hint.isEmpty)
        }
    }

    @Test(arguments: ["@", "@/nonexistent/key", "@/tmp"])
    func aFileThatCannotBeReadIsSaid(_ text: String) {
        #expect(throws: ServiceError.self) { try DeviceKeys.readKey(text, option: "--psk-key") }
    }
}
