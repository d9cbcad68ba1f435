/// Key material: zeroed when the last reference goes, compared in constant time, without a description.
public struct SecretBytes: Sendable {
    private final class Storage: Sendable {
        nonisolated(unsafe) let buffer: UnsafeMutableBufferPointer<UInt8>

        init(_ bytes: [UInt8]) {
            self.buffer = .allocate(capacity: bytes.count)
            _ = self.buffer.initialize(from: bytes)
        }

        init(count: Int) {
            self.buffer = .allocate(capacity: count)
            self.buffer.initialize(repeating: 0)
        }

        deinit {
            eraseForGood(self.buffer)
            self.buffer.deallocate()
        }
    }

    private let storage: Storage

    /// Creates a secret from its bytes; the caller's array is not erased.
    public init(_ bytes: [UInt8]) {
        self.storage = Storage(bytes)
    }

    /// Creates a secret that a closure fills, so that no copy of it is left elsewhere.
    ///
    /// - Parameters:
    ///   - count: how many bytes, from 0.
    ///   - fill: gets that many bytes, all 0, and must not keep the pointer.
    public init(count: Int, _ fill: (UnsafeMutableBufferPointer<UInt8>) -> Void) {
        self.storage = Storage(count: count)
        fill(self.storage.buffer)
    }

    /// How many bytes the secret has.
    public var count: Int { self.storage.buffer.count }

    /// Whether the secret has no bytes.
    public var isEmpty: Bool { self.storage.buffer.isEmpty }

    /// Lends the bytes to a closure, which must not keep the pointer.
    public func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        body(UnsafeBufferPointer(self.storage.buffer))
    }

    /// Copies the bytes out, for a codec or a C library that must own them.
    public func copyBytes() -> [UInt8] { Array(self.storage.buffer) }

    /// Compares in time that depends on the lengths only.
    public static func == (lhs: SecretBytes, rhs: SecretBytes) -> Bool {
        guard lhs.count == rhs.count else { return false }
        var difference: UInt8 = 0
        for index in 0..<lhs.count { difference |= lhs.storage.buffer[index] ^ rhs.storage.buffer[index] }
        return difference == 0
    }
}

extension SecretBytes: Equatable {}

/// Overwrites memory with zeros in a way that no optimisation removes.
///
/// Stores to memory that is freed next are dead to an optimiser that knows what freeing is, and in Embedded Swift it
/// sees through to `free`. A function that is neither inlined nor looked into has effects that it must keep.
@inline(never)
@_optimize(none)
private func eraseForGood(_ buffer: UnsafeMutableBufferPointer<UInt8>) {
    guard let base = buffer.baseAddress else { return }
    // Unoptimised, a range would be walked through witness tables, at a hundred nanoseconds a byte.
    var index = 0
    while index < buffer.count {
        base[index] = 0
        index &+= 1
    }
}

#if !hasFeature(Embedded)
    extension SecretBytes: CustomStringConvertible, CustomReflectable {
        /// How long the secret is; never its bytes.
        public var description: String { "secret of \(self.count) bytes" }

        /// An empty mirror, so that dumping an enclosing value shows nothing.
        public var customMirror: Mirror { Mirror(self, children: []) }
    }
#endif
