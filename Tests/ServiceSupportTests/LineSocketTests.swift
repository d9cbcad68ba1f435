import CoAPTransport
import Foundation
import Primitives
import ServiceSupport
import Testing

@Suite struct LineSocketTests {
    private let path = FileManager.default.temporaryDirectory.appending(path: "s-\(UUID().uuidString.prefix(8))").path

    /// Turns the loop until a condition holds; false after far too many turns.
    private func turn(_ loop: EventLoop, until condition: () -> Bool) -> Bool {
        for _ in 0..<500 {
            if condition() { return true }
            loop.turn(until: loop.now.advanced(by: .milliseconds(20)))
        }
        return condition()
    }

    @Test func takesAndGivesLines() throws {
        let loop = try EventLoop()
        let socket = try LineSocket(path: self.path, loop: loop)
        var lines: [String] = []
        socket.onLine = { client, line in
            lines.append(String(decoding: line, as: UTF8.self))
            socket.send(line.reversed(), to: client)
        }
        let client = try LineClient(path: self.path)
        #expect(client.send(Array("abc".utf8)))
        #expect(client.send(Array("de\nf".utf8)))
        #expect(self.turn(loop) { lines.count == 3 })
        #expect(lines == ["abc", "de", "f"])
        #expect(client.receive() == Array("cba".utf8))
        #expect(client.receive() == Array("ed".utf8))
        #expect(client.receive() == Array("f".utf8))
    }

    @Test func onlyTheOwnerMayConnect() throws {
        let socket = try LineSocket(path: self.path, loop: try EventLoop())
        let mode = try FileManager.default.attributesOfItem(atPath: self.path)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        socket.close()
        #expect(!FileManager.default.fileExists(atPath: self.path))
    }

    @Test func aClientWithATooLongLineIsLetGo() throws {
        let loop = try EventLoop()
        var limits = LineSocket.Limits()
        limits.lineLength = 100
        let socket = try LineSocket(path: self.path, limits: limits, loop: loop)
        var lines = 0
        socket.onLine = { _, _ in lines += 1 }
        let client = try LineClient(path: self.path)
        #expect(client.send([UInt8](repeating: 0x61, count: 100)))
        #expect(self.turn(loop) { lines == 1 })
        #expect(client.send([UInt8](repeating: 0x61, count: 101)))
        #expect(self.turn(loop) { socket.clientCount == 0 })
        #expect(client.receive() == nil)
        #expect(lines == 1)
    }

    @Test func clientsAreBounded() throws {
        let loop = try EventLoop()
        var limits = LineSocket.Limits()
        limits.clients = 2
        let socket = try LineSocket(path: self.path, limits: limits, loop: loop)
        var clients = [try LineClient(path: self.path), try LineClient(path: self.path)]
        #expect(self.turn(loop) { socket.clientCount == 2 })
        let third = try LineClient(path: self.path)
        #expect(self.turn(loop) { third.waits(milliseconds: 0) })
        #expect(third.receive() == nil)
        #expect(socket.clientCount == 2)
        clients.removeLast()
        #expect(self.turn(loop) { socket.clientCount == 1 })
    }

    @Test func aClientThatDoesNotReadIsLetGo() throws {
        let loop = try EventLoop()
        var limits = LineSocket.Limits()
        limits.unread = 1 << 20
        let socket = try LineSocket(path: self.path, limits: limits, loop: loop)
        var client: LineSocket.ClientID?
        socket.onLine = { id, _ in client = id }
        let lazy = try LineClient(path: self.path)
        #expect(lazy.send([0x61]))
        #expect(self.turn(loop) { client != nil })
        let id = try #require(client)
        for _ in 0..<64 { socket.send([UInt8](repeating: 0x62, count: 65_536), to: id) }
        #expect(socket.clientCount == 0)
    }

    @Test func aSecondServerDoesNotTakeTheSocket() throws {
        let loop = try EventLoop()
        let first = try LineSocket(path: self.path, loop: loop)
        #expect(throws: ServiceError.self) { try LineSocket(path: self.path, loop: loop) }
        _ = first
    }

    @Test func whatAnotherProcessLeftIsReplacedAndOtherFilesAreNot() throws {
        try Data("text".utf8).write(to: URL(fileURLWithPath: self.path))
        #expect(throws: ServiceError.self) { try LineSocket(path: self.path, loop: try EventLoop()) }
        #expect(FileManager.default.contents(atPath: self.path) == Data("text".utf8))
        try FileManager.default.removeItem(atPath: self.path)
        #expect(throws: ServiceError.self) {
            try LineSocket(path: String(repeating: "x", count: 108), loop: try EventLoop())
        }
        #expect(throws: ServiceError.self) { try LineClient(path: self.path) }
    }
}
