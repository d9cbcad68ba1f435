import CoAPMessages
import ServiceSupport
import Testing

@Suite struct ListenAddressTests {
    private static let readable: [(String, String)] = [
        ("coaps://127.0.0.1:40001", "coaps://127.0.0.1:40001"),
        ("coap://127.0.0.1", "coap://127.0.0.1:5683"),
        ("coaps://[::1]", "coaps://[::1]:5684"),
        ("coaps://[::1]:0", "coaps://[::1]:0"),
        ("coaps://127.0.0.1:0", "coaps://127.0.0.1:0"),
    ]

    @Test(arguments: readable) func readsAddresses(_ text: String, _ written: String) throws {
        #expect(try ListenAddress(parsing: text).text == written)
    }

    @Test(arguments: [
        "", "127.0.0.1", "http://127.0.0.1", "coaps://", "coaps://example.com:1", "coap://127.0.0.1:70000",
    ])
    func refusesOthersWithAHint(_ text: String) {
        #expect {
            try ListenAddress(parsing: text)
        } throws: {
            ($0 as? ServiceError)?.hint.contains("coaps://127.0.0.1:5684") == true
        }
    }
}
