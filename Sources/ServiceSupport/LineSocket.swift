public import CoAPTransport
import Glibc

/// A local socket that takes and gives lines of text: the control door of a service.
///
/// Everything happens inside turns of the loop and nothing blocks. Only the user who started the service may connect.
/// A client that sends a line that is too long, or does not read what it is sent, is let go.
public final class LineSocket {
    /// The bounds of a socket.
    public struct Limits: Sendable {
        /// The most clients at once; further ones are closed at once.
        public var clients = 32
        /// The most bytes of a line.
        public var lineLength = 1 << 16
        /// The most bytes that wait for a client to read them.
        public var unread = 16 << 20

        /// Creates the default bounds.
        public init() {}
    }

    /// A client that is or was connected.
    public struct ClientID: Hashable, Sendable {
        let rawValue: UInt64
    }

    private struct Client {
        let descriptor: Int32
        var received: [UInt8] = []
        var unsent: [UInt8] = []
        var sent = 0
        var isWriting = false
    }

    private let loop: EventLoop
    private let limits: Limits
    private let listener: Int32
    private var clients: [ClientID: Client] = [:]
    private var lastClient: UInt64 = 0

    /// Where the socket is.
    public let path: String
    /// Called with each line, without its end.
    public var onLine: (ClientID, [UInt8]) -> Void = { _, _ in }
    /// Called when a client is gone.
    public var onClose: (ClientID) -> Void = { _ in }

    /// Opens a socket.
    ///
    /// - Parameters:
    ///   - path: at most 107 bytes; a socket of a process that is gone is replaced.
    ///   - limits: bounds on what clients can make grow.
    public init(path: String, limits: Limits = Limits(), loop: EventLoop) throws(ServiceError) {
        self.path = path
        self.loop = loop
        self.limits = limits
        guard var address = LocalAddress.make(path) else {
            throw ServiceError("the path of the control socket is too long", hint: "at most 107 bytes: '\(path)'")
        }
        if LocalAddress.isAnswered(&address) {
            throw ServiceError(
                "the control socket '\(path)' is in use",
                hint: "another server runs with it; choose another --control path"
            )
        }
        LocalAddress.removeStaleSocket(path)
        self.listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard self.listener >= 0 else { throw ServiceError(.outOfResources, about: "the control socket") }
        // The mode is set before anybody can connect: the socket comes to be with it.
        let mask = umask(0o177)
        let isBound = LocalAddress.bind(self.listener, &address)
        umask(mask)
        guard isBound, listen(self.listener, 16) == 0 else {
            Glibc.close(self.listener)
            throw ServiceError(
                "the control socket '\(path)' cannot be made",
                hint: "its folder must exist and be writable"
            )
        }
        // From here on the end of this object removes the socket; before, the path may be somebody else's.
        self.isOpen = true
        loop.watch(descriptor: self.listener, readable: true, writable: false) { [unowned self] _, _ in self.accept() }
    }

    deinit {
        self.close()
    }

    /// How many clients are connected.
    public var clientCount: Int { self.clients.count }

    /// Lets every client go and removes the socket.
    public func close() {
        guard self.isOpen else { return }
        self.isOpen = false
        for client in self.clients.values { self.forget(client.descriptor) }
        self.clients = [:]
        self.forget(self.listener)
        unlink(self.path)
    }

    private var isOpen = false

    private func forget(_ descriptor: Int32) {
        self.loop.watch(descriptor: descriptor, readable: false, writable: false) { _, _ in }
        Glibc.close(descriptor)
    }

    private func accept() {
        while true {
            let descriptor = Glibc.accept(self.listener, nil, nil)
            guard descriptor >= 0 else { return }
            guard Descriptor.neverBlocks(descriptor), self.clients.count < self.limits.clients else {
                Glibc.close(descriptor)
                continue
            }
            self.lastClient += 1
            let id = ClientID(rawValue: self.lastClient)
            self.clients[id] = Client(descriptor: descriptor)
            self.watch(id)
        }
    }

    private func watch(_ id: ClientID) {
        guard let client = self.clients[id] else { return }
        self.loop.watch(descriptor: client.descriptor, readable: true, writable: client.isWriting) {
            [unowned self] readable, writable in
            if writable { self.flush(id) }
            if readable { self.read(id) }
        }
    }

    /// Lets a client go.
    public func disconnect(_ id: ClientID) {
        guard let client = self.clients.removeValue(forKey: id) else { return }
        self.forget(client.descriptor)
        self.onClose(id)
    }

    private func read(_ id: ClientID) {
        guard let descriptor = self.clients[id]?.descriptor else { return }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else {
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            self.disconnect(id)
            return
        }
        self.clients[id]?.received += buffer[..<count]
        self.takeLines(id)
    }

    private func takeLines(_ id: ClientID) {
        guard let received = self.clients[id]?.received else { return }
        var start = 0
        while let end = received[start...].firstIndex(of: 0x0A) {
            guard end - start <= self.limits.lineLength else {
                self.disconnect(id)
                return
            }
            if end > start { self.onLine(id, Array(received[start..<end])) }
            start = end + 1
            // A line may have let the client go.
            guard self.clients[id] != nil else { return }
        }
        self.clients[id]?.received.removeFirst(start)
        if received.count - start > self.limits.lineLength { self.disconnect(id) }
    }

    /// Sends a line; its end is added.
    public func send(_ line: [UInt8], to id: ClientID) {
        guard let client = self.clients[id] else { return }
        guard client.unsent.count - client.sent + line.count < self.limits.unread else {
            self.disconnect(id)
            return
        }
        self.clients[id]?.unsent += line
        self.clients[id]?.unsent.append(0x0A)
        if !client.isWriting { self.flush(id) }
    }

    private func flush(_ id: ClientID) {
        guard let descriptor = self.clients[id]?.descriptor else { return }
        while let client = self.clients[id], client.sent < client.unsent.count {
            let count = client.unsent.withUnsafeBytes { bytes in
                Glibc.send(
                    descriptor,
                    bytes.baseAddress.map { $0 + client.sent },
                    bytes.count - client.sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else {
                if errno == EAGAIN || errno == EINTR { break }
                self.disconnect(id)
                return
            }
            self.clients[id]?.sent += count
        }
        guard let client = self.clients[id] else { return }
        let isWriting = client.sent < client.unsent.count
        if !isWriting {
            self.clients[id]?.unsent.removeAll(keepingCapacity: client.unsent.count <= 65_536)
            self.clients[id]?.sent = 0
        } else if client.sent > 1 << 20 {
            self.clients[id]?.unsent.removeFirst(client.sent)
            self.clients[id]?.sent = 0
        }
        if isWriting != client.isWriting {
            self.clients[id]?.isWriting = isWriting
            self.watch(id)
        }
    }
}
