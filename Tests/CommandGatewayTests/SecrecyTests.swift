import CommandSessions
import Foundation
import GatewayEngine
import LoopbackPeers
import LwM2MModel
import ManagementService
import Primitives
import Testing

/// Nobody but device, gateway and state sees identifiers, or what commands write.
@Suite(.serialized) struct SecrecyTests {
    private static let payload = "a-value-that-nobody-sees"

    @Test func noIdentifierAndNoPayloadIsInAnyLineLogOrAudit() throws {
        let bench = try GatewayBench { $0.policy[.routine] = [.log, .trace] }
        let device = try HandDevice(bench)
        try device.register()
        let client = try bench.control()
        var seen: [UInt8] = []
        func lines(_ request: ControlRequest) throws {
            try bench.send(request, client)
            var isDone = false
            while !isDone {
                var line: [UInt8]?
                try device.drive("a line") {
                    line = client.receive(within: 0)
                    return line != nil
                }
                let bytes = try #require(line)
                seen += bytes
                isDone = try JSONDecoder().decode(ControlReply.self, from: Data(bytes)).done
            }
        }
        for index in 0..<3 {
            var request = ControlRequest.command(Self.payload + "-\(index)")
            request.progress = true
            request.user = "anna"
            // The last one goes wrong, so that breaches are told too.
            if index == 2 {
                device.misbehaviour = { resource, request, _ in
                    resource == .message2 ? HandDevice.content(request.payload) : nil
                }
            }
            try lines(request)
        }
        for verb in [ControlRequest.Verb.commands, .audit, .standing, .stats] {
            try lines(ControlRequest(id: 1, verb: verb, endpoint: verb == .stats ? nil : "dev1"))
        }
        #expect(seen.count > 2_000)
        var log = ""
        for report in bench.reports {
            log += "\(report)\n"
            dump(report, to: &log)
        }
        for outcome in bench.outcomes { log += "\(outcome)\n" }
        seen += Array(log.utf8)

        var identifiers: [[UInt8]] = []
        for (resource, bytes) in device.messages where resource != .outcome {
            guard let message = try? SessionMessage(decoding: bytes) else { continue }
            identifiers += [message.gsid, message.dsid].compactMap { $0?.copyBytes() }
        }
        #expect(identifiers.count >= 8)
        let text = String(decoding: seen, as: UTF8.self).lowercased()
        for identifier in identifiers {
            #expect(!text.contains(Hexadecimal.encode(identifier).lowercased()))
            #expect(!text.contains(Data(identifier).base64EncodedString().lowercased()))
            // Not even a good part of it.
            #expect(!text.contains(Hexadecimal.encode(Array(identifier.prefix(5))).lowercased()))
        }
        #expect(!text.contains(Self.payload))
        #expect(!text.contains(Hexadecimal.encode(Array(Self.payload.utf8))))
    }

    @Test func onlyItsOwnerMayReadTheState() throws {
        let bench = try GatewayBench()
        try bench.startDevice()
        #expect(try bench.command().code == "2.04")
        for name in ["state", "state-wal", "state-registrations"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: bench.folder.path + "/" + name)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
    }
}
