import Foundation

/// Standard output and standard error of this program.
///
/// A full disk or a reader that went away loses what is written, and ends nothing: devices and servers go on.
enum StandardStream {
    case output
    case error

    /// From here on a write to a reader that is gone fails instead of ending the program.
    static func outlivesItsReader() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// Writes at once, past every buffer, so that a pipe's reader sees each line when it comes to be.
    func write(_ text: String) {
        let descriptor = self == .output ? STDOUT_FILENO : STDERR_FILENO
        var bytes = ArraySlice(text.utf8)
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                var writable = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                guard poll(&writable, 1, 1_000) > 0 else { return }
                continue
            }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
