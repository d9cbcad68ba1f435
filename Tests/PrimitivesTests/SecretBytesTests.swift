import Glibc
import Primitives
import Testing

@Suite struct SecretBytesTests {
    private static let bytes: [UInt8] = Array("a key nobody may see".utf8)

    @Test func givesBackItsBytes() {
        let secret = SecretBytes(Self.bytes)
        #expect(secret.copyBytes() == Self.bytes)
        #expect(secret.withBytes { Array($0) } == Self.bytes)
        #expect(secret.count == 20)
        #expect(SecretBytes([]).isEmpty)
    }

    @Test func comparesEveryByteAndTheLength() {
        let secret = SecretBytes([1, 2, 3])
        #expect(secret == SecretBytes([1, 2, 3]))
        for other in [[0, 2, 3], [1, 0, 3], [1, 2, 0], [1, 2], [1, 2, 3, 0], []] as [[UInt8]] {
            #expect(secret != SecretBytes(other))
        }
    }

    @Test func noWayOfPrintingShowsIt() {
        struct Account {
            let secret: SecretBytes
            let optional: SecretBytes?
        }
        let secret = SecretBytes(Self.bytes)
        let account = Account(secret: secret, optional: secret)
        var dumped = ""
        dump(account, to: &dumped)
        dump(secret, to: &dumped)
        let texts = [
            "\(secret)", "\(account)", String(describing: account), String(reflecting: account),
            String(reflecting: secret),
            "\([secret])", "\(["key": secret])", dumped,
        ]
        for text in texts {
            #expect(!text.contains("nobody"))
            // The bytes as numbers, as a description of an array would show them.
            #expect(!text.contains("97") && !text.contains("0x61"))
        }
        #expect("\(secret)" == "secret of 20 bytes")
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }

    /// Reads this process's memory through the kernel: a freed block must not be touched through a pointer.
    private static func countOf(_ byte: UInt8, at address: UInt, count: Int, in descriptor: Int32) -> Int? {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { buffer in
            guard pread(descriptor, buffer.baseAddress, count, off_t(address)) == count else { return nil }
            var found = 0
            for item in buffer where item == byte { found += 1 }
            return found
        }
    }

    @Test func memoryIsZeroOnceTheLastReferenceIsGone() throws {
        let descriptor = open("/proc/self/mem", O_RDONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        // The allocator keeps its own notes in the first bytes of a free block.
        let (skipped, count) = (64, 1000)
        let bytes = [UInt8](repeating: 0xA5, count: skipped + count)

        // That the pattern survives in a block that is freed as it is shows that the look behind the curtain works.
        let plain = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
        plain.initialize(repeating: 0xA5, count: bytes.count)
        let plainAddress = UInt(bitPattern: plain) + UInt(skipped)
        try #require(Self.countOf(0xA5, at: plainAddress, count: count, in: descriptor) == count)

        var secret: SecretBytes? = SecretBytes(bytes)
        var copy = secret
        let address = (secret?.withBytes { UInt(bitPattern: $0.baseAddress) } ?? 0) + UInt(skipped)
        secret = nil
        #expect(Self.countOf(0xA5, at: address, count: count, in: descriptor) == count)
        #expect(copy?.count == bytes.count)
        copy = nil
        let left = Self.countOf(0xA5, at: address, count: count, in: descriptor)
        #expect(left == 0)
        plain.deallocate()
    }
}
