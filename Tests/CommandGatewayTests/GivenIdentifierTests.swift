import CommandGateway
import CommandSessions
import Foundation
import GatewayEngine
import LoopbackPeers
import LwM2MModel
import ManagementService
import Primitives
import ServiceSupport
import Testing

/// Identifiers that a device was given at manufacture, and the gateway is told.
@Suite(.serialized) struct GivenIdentifierTests {
    private static let gsid = "00112233445566778899AABBCCDDEEFF"
    private static let dsid = "ffeeddccbbaa99887766554433221100"

    private func request(gsid: String? = Self.gsid, dsid: String? = Self.dsid, to endpoint: String = "dev1")
        -> ControlRequest
    {
        var request = ControlRequest(id: 1, verb: .identifiers, endpoint: endpoint)
        request.gsid = gsid.map { ControlSecret($0) }
        request.dsid = dsid.map { ControlSecret($0) }
        request.user = "anna"
        return request
    }

    private func pair() throws -> SessionPair {
        SessionPair(
            gsid: SessionIdentifier(text: UTF8Text(Self.gsid)),
            dsid: try #require(SessionIdentifier(text: UTF8Text(Self.dsid)))
        )
    }

    @Test func aDeviceThatWasGivenThemTakesItsFirstCommandFromWhoWasTold() throws {
        let bench = try GatewayBench()
        let told = try bench.answer(to: self.request())
        #expect(told.kind == .result && told.endpoint == "dev1", "\(told)")
        #expect(try bench.standing()["identifiers"] == .boolean(true))
        try bench.restart()
        let device = try bench.startDevice(identifiers: try self.pair())
        #expect(try bench.command().code == "2.04")
        #expect(bench.number(.breaches, of: device) ?? 0 == 0)
        #expect(try bench.audit("dev1") == ["identifiers-given", "given", "session-begun", "executed 2.04"])
        let again = try bench.answer(to: self.request())
        #expect(again.cause == "already-known")
    }

    @Test func withoutThemItRefuses() throws {
        let bench = try GatewayBench()
        try bench.startDevice(identifiers: try self.pair())
        #expect(try bench.command().detail("reason") == "refused 4.03")
    }

    @Test func nobodyIsShownThem() throws {
        let bench = try GatewayBench()
        let client = try bench.control()
        var shown = ""
        for request in [
            self.request(), self.request(), self.request(gsid: nil, to: "dev2"), self.request(dsid: Self.dsid + "0"),
            ControlRequest(id: 1, verb: .audit), ControlRequest(id: 1, verb: .standing, endpoint: "dev1"),
        ] {
            shown += "\(request)"
            dump(request, to: &shown)
            for reply in try bench.ask(request, client) { shown += "\(reply)" }
        }
        for report in bench.reports { shown += "\(report)" }
        #expect(shown.contains("identifiers-given"))
        for secret in [Self.gsid, Self.dsid] { #expect(!shown.lowercased().contains(secret.lowercased().prefix(8))) }
    }

    @Test func whatMakesNoSenseIsSaid() throws {
        let bench = try GatewayBench()
        for request in [
            self.request(gsid: nil), self.request(dsid: nil), self.request(dsid: ""), self.request(gsid: "secret"),
            self.request(dsid: String(repeating: "0", count: 66)), self.request(to: ""),
            self.request(to: "dev\n1"), self.request(to: String(repeating: "x", count: 256)),
        ] {
            let reply = try bench.answer(to: request)
            #expect(reply.cause == "bad-request")
        }
        #expect(try bench.answer(to: ControlRequest(id: 1, verb: .identifiers)).cause == "bad-request")
        let short = try GatewayBench { $0.form = .deviceIdentifier }
        #expect(try short.answer(to: self.request()).cause == "bad-request")
        #expect(try short.answer(to: self.request(gsid: nil)).kind == .result)
    }

    // MARK: The file

    private static let good = [
        "gsid: \(gsid)\ndsid: \(dsid)\n",
        "# made at the factory\r\n\r\n  dsid: \"\(dsid)\"\r\n  gsid: '\(gsid)'",
        "dsid:\(dsid)\ngsid:\(gsid)",
    ]

    @Test(arguments: good) func aFileHoldsBoth(_ text: String) throws {
        let file = try IdentifierFile(text: text, named: "ids")
        #expect(SessionPair(gsid: file.gsid, dsid: file.dsid) == (try self.pair()))
        let short = try IdentifierFile(text: "dsid: \(Self.dsid)", named: "ids")
        #expect(short.gsid == nil)
    }

    private static let bad: [(String, message: String)] = [
        ("", "ids has no dsid"),
        ("gsid: \(gsid)", "ids has no dsid"),
        ("gsid: \(gsid)\n\(dsid)", "line 2 of ids"),
        ("dsid: \(dsid)\ndsid: \(dsid)", "line 2 of ids"),
        ("dsid: \(dsid)0", "line 1 of ids"),
        ("dsid: \"\(dsid)", "line 1 of ids"),
        ("dsid: \(dsid.dropLast(2))", "line 1 of ids"),
        ("dsid=\(dsid)", "line 1 of ids"),
        ("psk: \(dsid)", "line 1 of ids"),
        (String(repeating: "#", count: 4097), "more than 4096 bytes"),
    ]

    @Test(arguments: bad) func aMistakeIsSaidWithoutTheLine(_ text: String, message: String) {
        do {
            _ = try IdentifierFile(text: text, named: "ids")
            Issue.record("it was read")
        } catch {
            #expect(error.message.contains(message), "\(error)")
            #expect(!"\(error)".contains(Self.dsid.prefix(8)) && !error.hint.isEmpty)
        }
    }

    @Test func aFileIsReadFromItsPath() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/ids"
        try Data(Self.good[0].utf8).write(to: URL(fileURLWithPath: path))
        #expect(try IdentifierFile(contentsOf: path).dsid == (try self.pair()).dsid)
        for other in [folder.path + "/none", folder.path, "/dev/null", "/dev/zero"] {
            #expect(throws: ServiceError.self) { try IdentifierFile(contentsOf: other) }
        }
    }
}
