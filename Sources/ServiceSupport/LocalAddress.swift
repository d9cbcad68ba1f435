import Glibc

/// The address of a local socket, for the calls of the C library.
enum LocalAddress {
    /// Makes the address of a path; nil when the path is empty or too long.
    static func make(_ path: String) -> sockaddr_un? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let isCopied = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard !bytes.isEmpty, bytes.count < room.count, !bytes.contains(0) else { return false }
            room.copyBytes(from: bytes)
            return true
        }
        return isCopied ? address : nil
    }

    static func bind(_ descriptor: Int32, _ address: inout sockaddr_un) -> Bool {
        self.withPointer(&address) { Glibc.bind(descriptor, $0, $1) } == 0
    }

    static func connect(_ descriptor: Int32, _ address: inout sockaddr_un) -> Bool {
        self.withPointer(&address) { Glibc.connect(descriptor, $0, $1) } == 0
    }

    /// Whether somebody listens there.
    static func isAnswered(_ address: inout sockaddr_un) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return self.connect(descriptor, &address)
    }

    /// Removes what a process that is gone has left; anything but a socket stays.
    static func removeStaleSocket(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        unlink(path)
    }

    private static func withPointer(
        _ address: inout sockaddr_un,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// Settings of a descriptor that the C library of this platform does not take at creation.
enum Descriptor {
    /// Makes a descriptor return instead of waiting, and close when another program starts; false when it cannot.
    static func neverBlocks(_ descriptor: Int32) -> Bool {
        fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0
            && fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
    }
}
