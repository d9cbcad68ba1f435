import CLibCoAP

#if canImport(Glibc)
    import Glibc
#endif

/// Lets one thread at a time into the CoAP library, part of whose state belongs to the process.
///
/// A process should have one loop; where there are more, they take turns instead of destroying each other's memory.
/// The lock is free while a loop waits. The same thread may take it again, as calls from inside events do.
enum LibraryLock {
    nonisolated(unsafe) private static let mutex: UnsafeMutablePointer<pthread_mutex_t> = {
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        starling_make_recursive_mutex(mutex)
        return mutex
    }()

    static func acquire() { pthread_mutex_lock(self.mutex) }

    static func release() { pthread_mutex_unlock(self.mutex) }
}
