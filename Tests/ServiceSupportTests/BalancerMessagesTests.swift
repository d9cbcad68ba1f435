import CoAPTransport
import Primitives
import ServiceSupport
import Testing

@Suite struct BalancerMessagesTests {
    private func body(_ json: String) -> [UInt8] { Array(json.utf8) }

    private static let report = InstanceReport(
        name: "bs-1",
        addresses: [IPAddress(written: "127.0.25.1"), IPAddress(written: "2001:db8::1")].compactMap { $0 },
        weight: 3,
        region: "north",
        classes: ["meter", "lamp"],
        inProgress: 7
    )

    private static let notice = BootstrapNotice(
        endpoint: "urn:dev:1",
        host: "bsabc.example.test",
        event: .started,
        procedure: "1-1",
        sequence: .max
    )

    @Test func everyMessageReadsBackAsItWasWritten() throws {
        #expect(try InstanceReport(decoding: Self.report.encoded()) == Self.report)
        #expect(try InstanceReportAnswer(decoding: InstanceReportAnswer(interval: 5).encoded()).interval == 5)
        #expect(try BootstrapNotice.decode(BootstrapNotice.encode([Self.notice])) == [Self.notice])
        let credential = Credential(
            endpoint: "a",
            identity: Array("ä".utf8),
            key: SecretBytes([1, 255]),
            region: "north",
            deviceClass: "meter"
        )
        let read = try CredentialPage.decode(CredentialPage.encode([credential]))
        #expect(read.map(\.endpoint) == ["a"] && read.map(\.identity) == [Array("ä".utf8)])
        #expect(read.first?.key == SecretBytes([1, 255]))
        #expect(read.first?.region == "north" && read.first?.deviceClass == "meter")
    }

    @Test func anInstanceNeedsNoMoreThanANameAndAnAddress() throws {
        let report = try InstanceReport(decoding: self.body(#"{"name":"a","addresses":["10.0.0.1"]}"#))
        #expect(report.weight == 1 && report.inProgress == 0 && report.region == nil && report.classes.isEmpty)
    }

    @Test(arguments: [
        #"{"name":"","addresses":["10.0.0.1"]}"#, #"{"name":"a","addresses":[]}"#,
        #"{"name":"a","addresses":["10.0.0.1:5683"]}"#, #"{"name":"a","addresses":["[::1]"]}"#,
        #"{"name":"a","addresses":["host"]}"#, #"{"name":"a","addresses":["10.0.0.1"],"weight":0}"#,
        #"{"name":"a","addresses":["10.0.0.1"],"weight":1001}"#,
        #"{"name":"a","addresses":["10.0.0.1"],"inProgress":-1}"#,
        #"{"name":"a","addresses":["10.0.0.1"],"region":""}"#,
        #"{"name":"a","addresses":["10.0.0.1"],"classes":[""]}"#,
    ])
    func aReportOutsideItsBoundsIsRefused(_ json: String) {
        #expect(throws: BalancerMessages.DecodingError.outOfBounds) {
            try InstanceReport(decoding: self.body(json))
        }
    }

    @Test(arguments: ["", "{", "[]", "null", "{}", #"{"name":1,"addresses":[]}"#, "\u{FFFD}", #"{"name":"#])
    func whatIsNoReportIsRefused(_ json: String) {
        #expect(throws: BalancerMessages.DecodingError.malformed) { try InstanceReport(decoding: self.body(json)) }
    }

    @Test func listsAndBodiesAreBounded() throws {
        let most = Array(repeating: Self.notice, count: 100)
        #expect(try BootstrapNotice.decode(BootstrapNotice.encode(most)).count == 100)
        for notices in [[], most + [Self.notice]] {
            #expect(throws: BalancerMessages.DecodingError.outOfBounds) {
                try BootstrapNotice.decode(BootstrapNotice.encode(notices))
            }
        }
        var report = Self.report
        report.addresses = Array(repeating: report.addresses[0], count: 9)
        #expect(throws: BalancerMessages.DecodingError.outOfBounds) {
            try InstanceReport(decoding: report.encoded())
        }
        report = Self.report
        report.classes = Array(repeating: "c", count: 33)
        #expect(throws: BalancerMessages.DecodingError.outOfBounds) {
            try InstanceReport(decoding: report.encoded())
        }
        let spaces = [UInt8](repeating: 0x20, count: (1 << 16) + 1)
        #expect(throws: BalancerMessages.DecodingError.tooLarge) { try BootstrapNotice.decode(spaces) }
        let credential = Credential(endpoint: "a", identity: [0x61], key: SecretBytes([1]))
        #expect(throws: BalancerMessages.DecodingError.outOfBounds) {
            try CredentialPage.decode(CredentialPage.encode(Array(repeating: credential, count: 201)))
        }
    }

    @Test func truncatedAnywhereItIsNoMessage() {
        let report = Self.report.encoded()
        let notices = BootstrapNotice.encode([Self.notice])
        for length in 0..<report.count {
            #expect(throws: BalancerMessages.DecodingError.self) {
                try InstanceReport(decoding: Array(report[..<length]))
            }
        }
        for length in 0..<notices.count {
            #expect(throws: BalancerMessages.DecodingError.self) {
                try BootstrapNotice.decode(Array(notices[..<length]))
            }
        }
    }

    @Test func addressesAreWrittenWithoutBracketsAndPort() throws {
        for text in ["127.0.0.1", "::1", "2001:db8::5", "fe80:0:0:1::"] {
            #expect(try #require(IPAddress(written: text)).written == text)
        }
        let address = try #require(IPAddress(written: "::1"))
        #expect(SocketAddress(address, port: 5684).text == "[::1]:5684")
    }
}
