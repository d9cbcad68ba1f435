import Glibc

/// The other end of a ``LineSocket``: sends and receives lines, waiting as long as it takes.
public final class LineClient {
    private let descriptor: Int32
    private var received: [UInt8] = []

    /// Connects to a socket.
    public init(path: String) throws(ServiceError) {
        guard var address = LocalAddress.make(path) else {
            throw ServiceError("'\(path)' is no path of a socket", hint: "at most 107 bytes")
        }
        self.descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard self.descriptor >= 0, LocalAddress.connect(self.descriptor, &address) else {
            throw ServiceError(
                "no server answers at the control socket '\(path)'",
                hint: "start one with 'starling server … --control \(path)', as the same user"
            )
        }
    }

    deinit {
        if self.descriptor >= 0 { close(self.descriptor) }
    }

    /// Sends a line; its end is added.
    ///
    /// - Returns: false when the server is gone.
    public func send(_ line: [UInt8]) -> Bool {
        let bytes = line + [0x0A]
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    self.descriptor,
                    buffer.baseAddress.map { $0 + sent },
                    buffer.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Waits until ``receive()`` has something to take, or the server is gone.
    ///
    /// - Returns: false when the time was over first.
    public func waits(milliseconds: Int32) -> Bool {
        if self.received.contains(0x0A) { return true }
        var readable = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&readable, 1, milliseconds) != 0
    }

    /// Waits for the next line.
    ///
    /// - Parameter milliseconds: how long to wait for each piece of it; nil waits as long as it takes.
    /// - Returns: nil when the server is gone or the time is over.
    public func receive(within milliseconds: Int32? = nil) -> [UInt8]? {
        var searched = 0
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let end = self.received[searched...].firstIndex(of: 0x0A) {
                let line = Array(self.received[..<end])
                self.received.removeFirst(end + 1)
                return line
            }
            searched = self.received.count
            var entry = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
            if let milliseconds, poll(&entry, 1, milliseconds) == 0 { return nil }
            let count = recv(self.descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            self.received += buffer[..<count]
        }
    }
}
