import CoAPTransport
import Primitives
import Testing

@Suite struct SocketAddressTests {
    @Test(arguments: [
        ("127.0.0.1:5683", "127.0.0.1:5683"),
        ("127.0.0.1", "127.0.0.1:0"),
        ("[::1]:5684", "[::1]:5684"),
        ("::1", "[::1]:0"),
        ("[2001:DB8:0:0:1:0:0:1]:1", "[2001:db8::1:0:0:1]:1"),
        ("[::ffff:10.1.2.3]:9", "[::ffff:a01:203]:9"),
        ("[1:2:3:4:5:6:7:8]:65535", "[1:2:3:4:5:6:7:8]:65535"),
        ("[::]:0", "[::]:0"),
        ("[fe80::]", "[fe80::]:0"),
    ])
    func readsAndWritesText(_ text: String, written: String) throws {
        let address = try #require(SocketAddress(parsing: UTF8Text(text)))
        #expect(address.text == written)
        #expect(SocketAddress(parsing: UTF8Text(written)) == address)
    }

    @Test(arguments: [
        "", "127.0.0", "127.0.0.1.2", "256.0.0.1", "127.0.0.1:65536", "127.0.0.1:", "127.0.0.1:x", "[::1", "::1]:5",
        "[::1]x", "[::1]:", ":::", "1::2::3", "[1:2:3:4:5:6:7]:1", "[1:2:3:4:5:6:7:8:9]:1", "[1:2:3:4:5:6:7:8::]:1",
        "[12345::]:1", "localhost:5683", "[::1%lo]:1", "1:", ":1", "[:1]:1", "[1:]:1", "127.0.0.0001",
    ])
    func refusesOtherText(_ text: String) {
        #expect(SocketAddress(parsing: UTF8Text(text)) == nil)
    }

    @Test func keepsBytes() {
        let six = [UInt8](1...16)
        #expect(SocketAddress(ipv6: six, port: 7).addressBytes == six)
        #expect(SocketAddress(ipv6: six, port: 7).port == 7)
        #expect(SocketAddress(ipv4: (10, 1, 2, 3), port: 7).addressBytes == [10, 1, 2, 3])
    }
}
