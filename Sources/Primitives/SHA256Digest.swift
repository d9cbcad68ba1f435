/// The 32 bytes of a SHA-256 hash or of an HMAC with it, held without a heap allocation.
public struct SHA256Digest: Hashable, Sendable {
    /// How many bytes a digest has.
    public static let byteCount = 32

    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// Creates a digest that a closure fills; what it leaves out stays 0.
    ///
    /// - Parameter fill: gets 32 bytes, and must not keep the pointer.
    public init(_ fill: (UnsafeMutableBufferPointer<UInt8>) -> Void) {
        withUnsafeMutableBytes(of: &self.words) { fill($0.assumingMemoryBound(to: UInt8.self)) }
    }

    /// Lends the 32 bytes to a closure, which must not keep the pointer.
    public func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        withUnsafeBytes(of: self.words) { body($0.assumingMemoryBound(to: UInt8.self)) }
    }

    /// The bytes as an array.
    public var bytes: [UInt8] { self.withBytes { Array($0) } }

    /// Whether all bytes are equal.
    public static func == (lhs: SHA256Digest, rhs: SHA256Digest) -> Bool { lhs.words == rhs.words }

    /// Feeds the bytes to a hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.words.0)
        hasher.combine(self.words.1)
        hasher.combine(self.words.2)
        hasher.combine(self.words.3)
    }
}
