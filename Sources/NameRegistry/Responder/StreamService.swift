internal import CLDNS
internal import CoAPTransport
internal import Glibc
internal import Primitives

/// Questions by TCP, each behind its length.
///
/// A connection that is quiet too long is closed, whether it asks nothing, half a question, or does not read its
/// answers; when there are too many, the one that has been quiet longest goes.
///
/// - Source: RFC 7766.
final class StreamService {
    private final class Connection {
        let descriptor: Int32
        var received: [UInt8] = []
        var unsent: [UInt8] = []
        /// When the last whole question came.
        var lastQuestion: MonotonicTime

        init(descriptor: Int32, now: MonotonicTime) {
            self.descriptor = descriptor
            self.lastQuestion = now
        }
    }

    /// Above so many unread bytes no further question is read.
    private static let maximumUnsent = 65_536

    private let loop: EventLoop
    private let listener: Int32
    private let timer: Int32
    private let maximumConnections: Int
    private let timeout: Duration
    private var connections: [Int32: Connection] = [:]
    /// Where answers come from; nil ends the connection.
    var answer: (_ message: [UInt8]) -> [UInt8]? = { _ in nil }
    /// Called for each connection that is closed from here.
    var onClose: () -> Void = {}

    init(
        address: SocketAddress,
        maximumConnections: Int,
        timeout: Duration,
        loop: EventLoop
    ) throws(RegistrySetupError) {
        self.timer = timerfd_create(Int32(CLOCK_MONOTONIC), Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        guard self.timer >= 0 else { throw .outOfResources }
        do throws(RegistrySetupError) {
            self.listener = try ListeningSocket.make(address, type: SOCK_STREAM).descriptor
        } catch {
            close(self.timer)
            throw error
        }
        self.maximumConnections = max(1, maximumConnections)
        self.timeout = max(.milliseconds(1), timeout)
        self.loop = loop
        loop.watch(descriptor: self.listener, readable: true, writable: false) { [unowned self] _, _ in self.accept() }
        loop.watch(descriptor: self.timer, readable: true, writable: false) { [unowned self] _, _ in
            self.closeQuietOnes()
        }
    }

    deinit {
        for descriptor in [self.listener, self.timer] + self.connections.keys {
            self.loop.watch(descriptor: descriptor, readable: false, writable: false) { _, _ in }
            close(descriptor)
        }
    }

    /// How many connections are open.
    var connectionCount: Int { self.connections.count }

    private func accept() {
        while true {
            let descriptor = Glibc.accept(self.listener, nil, nil)
            guard descriptor >= 0 else { return }
            guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
                close(descriptor)
                continue
            }
            if self.connections.count >= self.maximumConnections, let quietest = self.quietest {
                self.end(quietest)
                self.onClose()
            }
            let connection = Connection(descriptor: descriptor, now: self.loop.now)
            self.connections[descriptor] = connection
            self.watch(connection)
            if self.connections.count == 1 { self.setTimer() }
        }
    }

    private var quietest: Connection? {
        self.connections.values.min { $0.lastQuestion < $1.lastQuestion }
    }

    private func watch(_ connection: Connection) {
        let pending = connection.unsent.count
        self.loop.watch(
            descriptor: connection.descriptor,
            readable: pending < StreamService.maximumUnsent,
            writable: pending > 0
        ) { [unowned self] readable, writable in
            guard let connection = self.connections[connection.descriptor] else { return }
            if writable, !self.flush(connection) { return }
            if readable { self.read(connection) }
        }
    }

    private func end(_ connection: Connection) {
        self.connections[connection.descriptor] = nil
        self.loop.watch(descriptor: connection.descriptor, readable: false, writable: false) { _, _ in }
        close(connection.descriptor)
    }

    private func read(_ connection: Connection) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = recv(connection.descriptor, &buffer, buffer.count, 0)
        guard count > 0 else {
            if count == 0 || (errno != EAGAIN && errno != EINTR) { self.end(connection) }
            return
        }
        connection.received += buffer[..<count]
        var start = 0
        while connection.received.count - start >= 2 {
            let length = Int(connection.received[start]) << 8 | Int(connection.received[start + 1])
            guard connection.received.count - start >= 2 + length else { break }
            let message = Array(connection.received[(start + 2)..<(start + 2 + length)])
            start += 2 + length
            guard let answer = self.answer(message) else {
                self.end(connection)
                self.onClose()
                return
            }
            connection.lastQuestion = self.loop.now
            connection.unsent += [UInt8(answer.count >> 8), UInt8(answer.count & 0xFF)] + answer
        }
        connection.received.removeFirst(start)
        _ = self.flush(connection)
    }

    /// Sends what it can; false when the connection is over.
    private func flush(_ connection: Connection) -> Bool {
        if !connection.unsent.isEmpty {
            let count = send(connection.descriptor, connection.unsent, connection.unsent.count, Int32(MSG_NOSIGNAL))
            if count > 0 {
                connection.unsent.removeFirst(count)
            } else if errno != EAGAIN, errno != EINTR {
                self.end(connection)
                return false
            }
        }
        self.watch(connection)
        return true
    }

    private func closeQuietOnes() {
        var count: UInt64 = 0
        _ = Glibc.read(self.timer, &count, 8)
        let now = self.loop.now
        for connection in self.connections.values where connection.lastQuestion.duration(to: now) >= self.timeout {
            self.end(connection)
            self.onClose()
        }
        self.setTimer()
    }

    /// Sets the timer to when the quietest connection has been quiet too long.
    private func setTimer() {
        var time = itimerspec()
        if let quietest {
            let wait = self.loop.now.duration(to: quietest.lastQuestion.advanced(by: self.timeout)).nanoseconds
            time.it_value.tv_sec = Int(max(1, wait) / 1_000_000_000)
            time.it_value.tv_nsec = Int(max(1, wait) % 1_000_000_000)
        }
        timerfd_settime(self.timer, 0, &time, nil)
    }
}
