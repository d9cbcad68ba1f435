import CLibCoAP
import CLibCrypto

#if canImport(Glibc)
    import Glibc
#endif

/// Memory for OpenSSL's large buffers in which only the pages that are used are resident.
///
/// A DTLS session keeps a buffer of 21 KB that only its handshake needs, and one of 17 KB of which a datagram uses the
/// first page. Here each has pages of its own, so that those of the handshake can be given back once it is over, and
/// all of them when the session ends. Everything smaller, and everything beyond the region, is ordinary memory.
enum TLSMemory {
    /// The sizes taken here: above all small allocations, and as large as a slot.
    private static let smallest = 12_288
    /// A slot: six pages, enough for the handshake's buffer.
    private static let slotSize = 24_576
    /// From here on a buffer is one of a handshake.
    private static let handshakeSize = 20_000
    /// How many slots the region has: address space, not memory.
    private static let slotCount = 131_072
    private static let none = UInt32.max

    nonisolated(unsafe) private static var base: UnsafeMutableRawPointer?
    nonisolated(unsafe) private static var freeSlots: UnsafeMutablePointer<UInt32>?
    nonisolated(unsafe) private static var freeCount = 0
    nonisolated(unsafe) private static var used = 0
    nonisolated(unsafe) private static var lock = pthread_mutex_t()
    nonisolated(unsafe) private static var latestHandshake = TLSMemory.none

    /// Whether OpenSSL takes its memory here; the first reading decides, which must be before OpenSSL allocates.
    static let isInstalled: Bool = {
        let size = slotCount * slotSize
        let flags = Int32(MAP_PRIVATE) | Int32(MAP_ANONYMOUS) | Int32(MAP_NORESERVE)
        guard let region = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0),
            region != UnsafeMutableRawPointer(bitPattern: -1)
        else {
            return false
        }
        base = region
        freeSlots = .allocate(capacity: slotCount)
        pthread_mutex_init(&lock, nil)
        let installed = CRYPTO_set_mem_functions(
            { size, _, _ in TLSMemory.allocate(size) },
            { pointer, size, _, _ in TLSMemory.reallocate(pointer, size) },
            { pointer, _, _ in TLSMemory.release(pointer) }
        )
        if installed != 1 { munmap(region, size) }
        return installed == 1
    }()

    /// Forgets which handshake buffer was allocated last.
    static func beginSession() { self.latestHandshake = self.none }

    /// The handshake buffer that was allocated since ``beginSession()``.
    static var handshakeSlot: UInt32? { self.latestHandshake == self.none ? nil : self.latestHandshake }

    /// Gives back the pages of a handshake buffer that stays allocated; it reads as zeros when it is used again.
    static func discard(_ slot: UInt32) {
        guard let base = self.base, slot < UInt32(self.slotCount) else { return }
        madvise(base + Int(slot) * self.slotSize, self.slotSize, Int32(MADV_DONTNEED))
    }

    private static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        guard size >= self.smallest, size <= self.slotSize, let base = self.base, let free = self.freeSlots else {
            return malloc(size)
        }
        pthread_mutex_lock(&self.lock)
        defer { pthread_mutex_unlock(&self.lock) }
        let slot: UInt32
        if self.freeCount > 0 {
            self.freeCount -= 1
            slot = free[self.freeCount]
        } else if self.used < self.slotCount {
            slot = UInt32(self.used)
            self.used += 1
        } else {
            return malloc(size)
        }
        if size >= self.handshakeSize { self.latestHandshake = slot }
        return base + Int(slot) * self.slotSize
    }

    private static func slot(of pointer: UnsafeMutableRawPointer) -> UInt32? {
        guard let base = self.base, pointer >= base, pointer < base + self.slotCount * self.slotSize else { return nil }
        return UInt32((pointer - base) / self.slotSize)
    }

    private static func release(_ pointer: UnsafeMutableRawPointer?) {
        guard let pointer else { return }
        guard let slot = self.slot(of: pointer), let free = self.freeSlots else {
            ordinaryFree(pointer)
            return
        }
        self.discard(slot)
        pthread_mutex_lock(&self.lock)
        free[self.freeCount] = slot
        self.freeCount += 1
        pthread_mutex_unlock(&self.lock)
    }

    private static func reallocate(_ pointer: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
        guard let pointer else { return self.allocate(size) }
        if size == 0 {
            self.release(pointer)
            return nil
        }
        if self.slot(of: pointer) == nil {
            // From ordinary memory to ordinary memory, whatever the size: its old size is not known.
            return realloc(pointer, size)
        }
        if size <= self.slotSize { return pointer }
        guard let moved = malloc(size) else { return nil }
        memcpy(moved, pointer, self.slotSize)
        self.release(pointer)
        return moved
    }
}

/// The C library's `free`, outside a type that has a function of its own for it.
private func ordinaryFree(_ pointer: UnsafeMutableRawPointer) { free(pointer) }
