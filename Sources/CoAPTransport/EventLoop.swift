public import Primitives

/// The one place where a thread waits: sockets, timers and wake-ups of everything that runs on it.
public final class EventLoop {
    /// Creates a loop with its own epoll instance.
    ///
    /// - Throws: ``TransportError/outOfResources`` when the system has no descriptor left.
    public init() throws(TransportError) {}

    /// The time of the machine's monotonic clock.
    public var now: MonotonicTime { .zero }

    /// Watches a descriptor, changes what is watched for, or stops when both are false.
    public func watch(
        descriptor: Int32,
        readable: Bool,
        writable: Bool,
        _ body: @escaping (_ readable: Bool, _ writable: Bool) -> Void
    ) {}

    /// Waits until something happens or a time is reached, and reports everything that happened.
    ///
    /// - Parameter until: nil waits until something happens.
    public func turn(until: MonotonicTime?) {}

    /// Ends the wait of a turn, or of the next one; any thread may call it.
    public func wake() {}
}
