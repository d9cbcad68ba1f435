internal import BalancerEngine
internal import CLDNS
internal import CoAPTransport
internal import Glibc
internal import Primitives

/// A TCP connection that carries DNS messages, each behind its length; every wait ends at a deadline or at the stop.
///
/// - Source: RFC 1035, section 4.2.2.
struct MessageStream: ~Copyable {
    private let descriptor: Int32
    private let stopBell: Int32

    /// Connects.
    ///
    /// - Throws: ``RegistryFailure/unreachable``, or ``RegistryFailure/local`` when there is no descriptor left.
    init(to server: SocketAddress, stopBell: Int32, until deadline: MonotonicTime) throws(RegistryFailure) {
        let address = SystemAddress(server)
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        self.descriptor = socket(address.family, type, 0)
        self.stopBell = stopBell
        guard self.descriptor >= 0 else { throw .local }
        var on: Int32 = 1
        setsockopt(
            self.descriptor,
            Int32(IPPROTO_TCP),
            TCP_NODELAY,
            &on,
            socklen_t(MemoryLayout<Int32>.size)
        )
        let descriptor = self.descriptor
        guard address.withPointer({ connect(descriptor, $0, $1) }) != 0 else { return }
        guard errno == EINPROGRESS else { throw errno == EADDRNOTAVAIL ? .local : .unreachable }
        try self.wait(for: POLLOUT, until: deadline)
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(self.descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
        guard error == 0 else { throw .unreachable }
    }

    deinit {
        if self.descriptor >= 0 { close(self.descriptor) }
    }

    /// The time of the machine's monotonic clock.
    static var now: MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    /// Sends a message of at most 65,535 bytes.
    func send(_ message: [UInt8], until deadline: MonotonicTime) throws(RegistryFailure) {
        // One buffer, so that the length does not travel in a segment of its own.
        var framed: [UInt8] = [UInt8(message.count >> 8), UInt8(message.count & 0xFF)]
        framed.reserveCapacity(message.count + 2)
        framed.append(contentsOf: message)
        var sent = 0
        while sent < framed.count {
            let count = framed.withUnsafeBytes { bytes in
                Glibc.send(
                    self.descriptor,
                    bytes.baseAddress.map { $0 + sent },
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                try self.wait(for: POLLOUT, until: deadline)
            } else if errno != EINTR {
                throw .unreachable
            }
        }
    }

    /// Receives the next message.
    func receive(until deadline: MonotonicTime) throws(RegistryFailure) -> [UInt8] {
        let length = try self.read(2, until: deadline)
        return try self.read(Int(length[0]) << 8 | Int(length[1]), until: deadline)
    }

    private func read(_ count: Int, until deadline: MonotonicTime) throws(RegistryFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        while received < count {
            let length = bytes.withUnsafeMutableBytes { buffer in
                recv(self.descriptor, buffer.baseAddress.map { $0 + received }, count - received, 0)
            }
            if length > 0 {
                received += length
            } else if length < 0, errno == EAGAIN {
                try self.wait(for: POLLIN, until: deadline)
            } else if length == 0 || errno != EINTR {
                throw .unreachable
            }
        }
        return bytes
    }

    private func wait(for event: Int32, until deadline: MonotonicTime) throws(RegistryFailure) {
        while true {
            let remaining = MessageStream.now.duration(to: deadline).nanoseconds
            guard remaining > 0 else { throw .unreachable }
            var polled = [
                pollfd(fd: self.descriptor, events: Int16(event), revents: 0),
                pollfd(fd: self.stopBell, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&polled, 2, Int32(min(remaining / 1_000_000 + 1, 3_600_000)))
            guard polled[1].revents == 0 else { throw .unreachable }
            if count > 0 { return }
            guard count == 0 || errno == EINTR else { throw .local }
        }
    }
}
