internal import CoAPTransport
internal import Glibc
internal import Synchronization

/// The executor of a client: one thread that alternates between the event loop and the jobs of the actor.
///
/// The thread starts with the first job. What lives on it, the ``core``, is made, used and destroyed there, so the
/// parts below need no locks.
final class LoopExecutor: SerialExecutor {
    private struct Inbox {
        var jobs: [UnownedJob] = []
        var isStarted = false
        var isStopping = false
    }

    private let inbox = Mutex(Inbox())
    // Only wake() is called from other threads, which the loop allows.
    private nonisolated(unsafe) let loop: EventLoop
    // Touched on the thread only.
    nonisolated(unsafe) var core: ClientCore?

    init() throws(TransportError) {
        self.loop = try EventLoop()
    }

    /// The loop, for what runs on this thread.
    var loopOnThread: EventLoop { self.loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFirst = self.inbox.withLock { inbox in
            inbox.jobs.append(job)
            defer { inbox.isStarted = true }
            return !inbox.isStarted
        }
        if isFirst { self.startThread() } else { self.loop.wake() }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// Ends the thread once the jobs that wait have run.
    func stop() {
        self.inbox.withLock { $0.isStopping = true }
        self.loop.wake()
    }

    private func startThread() {
        var thread = pthread_t()
        let status = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                Unmanaged<LoopExecutor>.fromOpaque(context).takeRetainedValue().runThread()
                return nil
            },
            Unmanaged.passRetained(self).toOpaque()
        )
        precondition(status == 0, "the system has no thread left")
        pthread_detach(thread)
    }

    private func runThread() {
        while true {
            let (jobs, isStopping) = self.inbox.withLock { inbox in
                defer { inbox.jobs = [] }
                return (inbox.jobs, inbox.isStopping)
            }
            for job in jobs { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
            if isStopping, jobs.isEmpty { break }
            if !jobs.isEmpty { continue }
            if let core = self.core { core.turn() } else { self.loop.turn(until: nil) }
        }
        self.core = nil
    }
}
