import CLibCoAP
public import Primitives

#if canImport(Glibc)
    import Glibc
#endif

/// The one place where a thread waits: sockets, timers and wake-ups of everything that runs on it.
///
/// It belongs to the thread that turns it; only ``wake()`` may be called from others.
public final class EventLoop {
    /// Something on the loop that acts when a time is reached.
    struct Timer {
        let deadline: () -> MonotonicTime?
        let fire: (MonotonicTime) -> Void
    }

    private struct Watcher {
        var generation: UInt32 = 0
        var events: UInt32 = 0
        var body: ((_ readable: Bool, _ writable: Bool) -> Void)?
    }

    private static let batch = 256

    private let descriptor: Int32
    private let wakeDescriptor: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    /// Indexed by descriptor.
    private var watchers: [Watcher] = []
    private var timers: [Timer?] = []

    /// Creates a loop with its own epoll instance.
    ///
    /// - Throws: ``TransportError/outOfResources`` when the system has no descriptor left.
    public init() throws(TransportError) {
        self.descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        self.wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        self.events = .allocate(capacity: EventLoop.batch)
        guard self.descriptor >= 0, self.wakeDescriptor >= 0 else { throw .outOfResources }
        let wakeDescriptor = self.wakeDescriptor
        self.watch(descriptor: wakeDescriptor, readable: true, writable: false) { _, _ in
            var count: UInt64 = 0
            _ = read(wakeDescriptor, &count, 8)
        }
    }

    deinit {
        self.events.deallocate()
        if self.descriptor >= 0 { close(self.descriptor) }
        if self.wakeDescriptor >= 0 { close(self.wakeDescriptor) }
    }

    /// The time of the machine's monotonic clock.
    public var now: MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    /// Watches a descriptor, changes what is watched for, or stops when both are false.
    ///
    /// - Parameters:
    ///   - descriptor: must be removed here before it is closed.
    ///   - body: called inside ``turn(until:)``; an error or hang-up counts as both.
    public func watch(
        descriptor: Int32,
        readable: Bool,
        writable: Bool,
        _ body: @escaping (_ readable: Bool, _ writable: Bool) -> Void
    ) {
        guard descriptor >= 0 else { return }
        let index = Int(descriptor)
        while self.watchers.count <= index { self.watchers.append(Watcher()) }
        let wanted = (readable ? EPOLLIN.rawValue : 0) | (writable ? EPOLLOUT.rawValue : 0)
        let before = self.watchers[index].events
        var event = epoll_event()
        if wanted == 0 {
            if before != 0 { epoll_ctl(self.descriptor, EPOLL_CTL_DEL, descriptor, &event) }
            self.watchers[index].events = 0
            self.watchers[index].body = nil
            return
        }
        if before == 0 { self.watchers[index].generation &+= 1 }
        event.events = wanted
        event.data.u64 = UInt64(self.watchers[index].generation) << 32 | UInt64(UInt32(index))
        epoll_ctl(self.descriptor, before == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event)
        self.watchers[index].events = wanted
        self.watchers[index].body = body
    }

    /// Waits until something happens or a time is reached, and reports everything that happened.
    ///
    /// - Parameter until: nil waits until something happens; a time that has passed does not wait.
    public func turn(until: MonotonicTime?) {
        var deadline = until
        for timer in self.timers {
            guard let time = timer?.deadline() else { continue }
            deadline = deadline.map { min($0, time) } ?? time
        }
        let count = Int(epoll_wait(self.descriptor, self.events, Int32(EventLoop.batch), self.wait(until: deadline)))
        LibraryLock.acquire()
        defer { LibraryLock.release() }
        for position in stride(from: 0, to: count, by: 1) {
            let event = self.events[position]
            let index = Int(UInt32(truncatingIfNeeded: event.data.u64))
            // What an earlier event of this batch stopped or replaced is not reported.
            guard self.watchers[index].generation == UInt32(event.data.u64 >> 32),
                let body = self.watchers[index].body
            else { continue }
            let failed = event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
            body(failed || event.events & EPOLLIN.rawValue != 0, failed || event.events & EPOLLOUT.rawValue != 0)
        }
        let now = self.now
        for timer in self.timers {
            if let timer, let time = timer.deadline(), time <= now { timer.fire(now) }
        }
    }

    /// Ends the wait of a turn, or of the next one; any thread may call it.
    public func wake() {
        var one: UInt64 = 1
        _ = write(self.wakeDescriptor, &one, 8)
    }

    /// Adds something that acts at times of its own; the number removes it.
    func addTimer(deadline: @escaping () -> MonotonicTime?, fire: @escaping (MonotonicTime) -> Void) -> Int {
        self.timers.append(Timer(deadline: deadline, fire: fire))
        return self.timers.count - 1
    }

    func removeTimer(_ number: Int) {
        if self.timers.indices.contains(number) { self.timers[number] = nil }
    }

    /// The wait in milliseconds, rounded up so that the time is reached when it ends; -1 is forever.
    private func wait(until deadline: MonotonicTime?) -> Int32 {
        guard let deadline else { return -1 }
        let nanoseconds = self.now.duration(to: deadline).nanoseconds
        if nanoseconds <= 0 { return 0 }
        return Int32(min(nanoseconds / 1_000_000 + 1, 3_600_000))
    }
}
