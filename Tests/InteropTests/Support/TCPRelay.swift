import Foundation
import Glibc
import Synchronization

/// Stands between a client and a DNS server and spoils what comes back, on a thread of its own.
final class TCPRelay: Sendable {
    /// What happens to an answer.
    enum Spoiling: Sendable {
        case nothing
        /// It never arrives, though the server has sent it.
        case lost
        /// One bit of it is another one, counted from behind the length, modulo its size.
        case bit(Int)
        /// The server's whole answer is cut after so many bytes.
        case cut(Int)
    }

    private let listener: Int32
    private let target: (host: String, port: UInt16)
    private let spoiling = Mutex(Spoiling.nothing)
    private let answers = Mutex<[[UInt8]]>([])
    let address: String

    /// Starts a relay to a server, given as `127.0.0.1:20053`.
    init(to server: String, host: String = "127.0.24.4") throws {
        let parts = server.split(separator: ":").map(String.init)
        guard parts.count == 2, let port = UInt16(parts[1]) else { throw InteropError.endedEarly(server) }
        self.target = (parts[0], port)
        let ownPort = try LoopbackPorts.common(to: [host])
        guard let listener = LoopbackSockets.listening(on: host, port: ownPort) else { throw InteropError.noFreePort }
        self.listener = listener
        self.address = "\(host):\(ownPort)"
        Thread.detachNewThread { [weak self] in
            // The listener is shut down when the relay goes, which ends the wait.
            while case let client = accept(listener, nil, nil), client >= 0 {
                self?.serve(client)
                close(client)
            }
            close(listener)
        }
    }

    deinit { shutdown(self.listener, Int32(SHUT_RDWR)) }

    /// From now on every first answer on a connection is spoiled so.
    func spoil(_ spoiling: Spoiling) { self.spoiling.withLock { $0 = spoiling } }

    /// The first answers of the server, as they were.
    var originals: [[UInt8]] { self.answers.withLock { $0 } }

    private func serve(_ client: Int32) {
        guard
            let server = LoopbackSockets.connected(to: self.target.host, port: self.target.port, type: SOCK_STREAM)
        else { return }
        defer { close(server) }
        guard let request = TCPRelay.message(client) else { return }
        TCPRelay.sendAll(server, request)
        guard let answer = TCPRelay.message(server) else { return }
        self.answers.withLock { $0.append(answer) }
        switch self.spoiling.withLock({ $0 }) {
        case .nothing: TCPRelay.sendAll(client, answer)
        case .lost: return
        case .cut(let count):
            TCPRelay.sendAll(client, Array(answer.prefix(count)))
            return
        case .bit(let number):
            var spoiled = answer
            let bit = number % ((answer.count - 2) * 8)
            spoiled[2 + bit / 8] ^= 1 << (bit % 8)
            TCPRelay.sendAll(client, spoiled)
        }
        // What follows, as in a zone transfer, goes through as it is, until the client has had enough.
        while let more = TCPRelay.message(server, orEndOf: client) { TCPRelay.sendAll(client, more) }
    }

    /// The next message with its length; nil at the end, or when the other side has ended.
    private static func message(_ descriptor: Int32, orEndOf other: Int32? = nil) -> [UInt8]? {
        var bytes: [UInt8] = []
        var wanted = 2
        while bytes.count < wanted {
            var polled = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
            if let other { polled.append(pollfd(fd: other, events: Int16(POLLIN), revents: 0)) }
            guard poll(&polled, nfds_t(polled.count), 30_000) > 0, polled[0].revents != 0 else { return nil }
            var buffer = [UInt8](repeating: 0, count: wanted - bytes.count)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
            if bytes.count == 2 { wanted = 2 + Int(bytes[0]) << 8 + Int(bytes[1]) }
        }
        return bytes
    }

    private static func sendAll(_ descriptor: Int32, _ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                send(descriptor, buffer.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }
}
