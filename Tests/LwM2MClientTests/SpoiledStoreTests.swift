import CoAPMessages
import Foundation
import LoopbackPeers
import LwM2MClient
import Primitives
import Testing

/// A device's file that something has damaged.
@Suite struct SpoiledStoreTests {
    private func write(_ lifetime: String) -> CoAPRequest {
        CoAPRequest(.put, path: ["1", "0", "1"], contentFormat: .text, payload: Array(lifetime.utf8))
    }

    private func spoil(_ name: String, in folder: TemporaryFolder) throws {
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: folder.store.string + "/" + name))
    }

    @Test func theCopyBeforeItKeepsTheDeviceRunning() async throws {
        let folder = TemporaryFolder()
        do {
            let harness = try ClientHarness { $0.store = folder.store.string }
            #expect(await harness.startAndRegister())
            #expect(try await harness.ask(self.write("600"))?.code == .changed)
            #expect(try await harness.ask(self.write("700"))?.code == .changed)
            _ = try await harness.stop()
        }
        try self.spoil("configuration", in: folder)
        let harness = try ClientHarness { $0.store = folder.store.string }
        #expect(await harness.startAndRegister())
        #expect(harness.server.registrations["one"]?.parameters["lt"] == "600")
        _ = try await harness.stop()
    }

    @Test func withoutACopyTheRunEndsWithAHint() async throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.store.string, withIntermediateDirectories: true)
        try self.spoil("configuration", in: folder)
        let harness = try ClientHarness { $0.store = folder.store.string }
        do {
            try await harness.client.run()
            Issue.record("ran")
        } catch {
            #expect(error.code == .storage)
            #expect(!error.hint.isEmpty)
        }
    }
}
