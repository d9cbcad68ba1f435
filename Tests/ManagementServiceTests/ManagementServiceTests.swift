import CoAPMessages
import CoAPTransport
import Foundation
import LoopbackPeers
import LwM2MModel
import ManagementEngine
import ManagementService
import Primitives
import ServiceSupport
import Testing

@Suite(.serialized) struct ManagementServiceTests {
    @Test(arguments: ["dev1", nil]) func aDeviceRegistersAndIsListed(_ identity: String?) throws {
        let bench = try ServiceBench()
        let session = try bench.connected(as: identity)
        let location = try bench.register(on: session)
        let reply = try bench.ask(ControlRequest(id: 7, verb: .list), try bench.control())
        #expect(reply.id == 7)
        #expect(reply.done)
        let device = try #require(reply.devices?.first)
        #expect(reply.devices?.count == 1)
        #expect(device.endpoint == "dev1")
        #expect(device.location == "/rd/\(location)")
        #expect(device.secured == (identity != nil))
        #expect(device.objects == ["/1/0", "/3/0", "/3303/0"])
        #expect(try bench.ask(CoAPRequest(.delete, path: ["rd", location]), on: session).code == .deleted)
        #expect(bench.service.statistics["registrations"] == 0)
    }

    @Test func aWrongKeyAndAnUnknownIdentityAreRefusedAndCounted() throws {
        let table = try CredentialTable([
            Credential(endpoint: "dev1", identity: Array("dev1".utf8), key: LoopbackDevice.key)
        ])
        let bench = try ServiceBench(keys: .listed(table))
        for (identity, key) in [("dev1", SecretBytes([9, 9])), ("nobody", LoopbackDevice.key)] {
            let session = try bench.open(as: identity, key: key)
            try bench.drive("the handshake fails") {
                bench.device.events.contains {
                    if case .sessionClosed(let closed, _, _) = $0 { closed == session } else { false }
                }
            }
        }
        #expect(bench.service.statistics["unknownIdentities"] == 1)
        _ = try bench.register(on: try bench.connected())
    }

    @Test func anotherDevicesNameIsForbidden() throws {
        let bench = try ServiceBench()
        let session = try bench.connected(as: "evil")
        #expect(try bench.ask(LoopbackDevice.register("dev1"), on: session).code == .forbidden)
        #expect(bench.service.statistics["identityMismatches"] == 1)
    }

    @Test func commandsReachTheDeviceAndAnswersComeBack() throws {
        let bench = try ServiceBench()
        _ = try bench.register(on: try bench.connected())
        var seen: [CoAPRequest] = []
        bench.device.answer = { request in
            seen.append(request)
            switch request.method {
            case .get: return CoAPResponse(.content, contentFormat: .text, payload: Array("77".utf8))
            case .delete: return CoAPResponse(.methodNotAllowed)
            default: return CoAPResponse(.changed)
            }
        }
        let control = try bench.control()
        var reply = try bench.ask(ControlRequest(id: 1, verb: .read, endpoint: "dev1", path: "/3/0/9"), control)
        #expect(reply.code == "2.05")
        #expect(reply.values == [ControlValue(path: "/3/0/9", type: "integer", value: .integer(77))])

        var write = ControlRequest(id: 2, verb: .write, endpoint: "dev1", path: "/1/0/1")
        write.values = ["": "60"]
        reply = try bench.ask(write, control)
        #expect(reply.code == "2.04")
        #expect(seen.last?.method == .put)
        #expect(seen.last?.payload == Array("60".utf8))

        reply = try bench.ask(ControlRequest(id: 3, verb: .delete, endpoint: "dev1", path: "/3303/0"), control)
        #expect(reply.code == "4.05")
        #expect(reply.kind == .result)
        reply = try bench.ask(ControlRequest(id: 4, verb: .read, endpoint: "dev2", path: "/3/0"), control)
        #expect(reply.kind == .error)
        #expect(reply.cause == "not-registered")
    }

    @Test func observationsAreStreamedUntilTheClientGoes() throws {
        let bench = try ServiceBench()
        let session = try bench.connected()
        _ = try bench.register(on: session)
        var observed: (token: CoAPToken, sequence: UInt64)?
        bench.device.answer = { request in
            var response = CoAPResponse(.content, contentFormat: .text, payload: Array("1".utf8))
            if request.options.observe == 0 { response.options.append(.observe, unsigned: 1) }
            return response
        }
        var control: LineClient? = try bench.control()
        let request = ControlRequest(id: 5, verb: .observe, endpoint: "dev1", path: "/3303/0/5700")
        var reply = try bench.ask(request, try #require(control))
        #expect(reply.kind == .result)
        #expect(!reply.done)
        for case .requestReceived(_, _, _, let request, let token) in bench.device.events
        where request.options.observe == 0 {
            observed = (token, 1)
        }
        let token = try #require(observed?.token)
        var response = CoAPResponse(.content, contentFormat: .text, payload: Array("2.5".utf8))
        response.options.append(.observe, unsigned: 2)
        try bench.device.transport.notify(response, token: token, on: session, isConfirmable: true, tag: 1)
        reply = try bench.reply(try #require(control))
        #expect(reply.kind == .notification)
        #expect(reply.values?.first?.value == .number(2.5))
        control = nil
        try bench.drive("the observation is cancelled") {
            bench.device.events.contains {
                if case .requestReceived(_, _, _, let request, _) = $0 { request.options.observe == 1 } else { false }
            }
        }
    }

    @Test func aRestartedServerStillAnswersUpdates() throws {
        let bench = try ServiceBench()
        let location = try bench.register(on: try bench.connected())
        try bench.restart()
        #expect(bench.service.statistics["registrations"] == 1)
        let session = try bench.connected()
        #expect(try bench.ask(CoAPRequest(.post, path: ["rd", location]), on: session).code == .changed)
        #expect(try bench.ask(CoAPRequest(.delete, path: ["rd", location]), on: session).code == .deleted)
        try bench.restart()
        #expect(bench.service.statistics["registrations"] == 0)
    }

    private static let lines: [(String, cause: String)] = [
        ("nonsense", "bad-request"),
        ("{}", "bad-request"),
        (#"{"id":1,"verb":"format-disk"}"#, "bad-request"),
        (#"{"id":1,"verb":"read"}"#, "bad-request"),
        (#"{"id":1,"verb":"read","endpoint":"dev1"}"#, "bad-request"),
        (#"{"id":1,"verb":"read","endpoint":"dev1","path":"3/0"}"#, "bad-request"),
        (#"{"id":1,"verb":"read","endpoint":"dev1","path":"/70000"}"#, "bad-request"),
        (#"{"id":1,"verb":"read","endpoint":"dev1","path":"/"}"#, "not-registered"),
        (#"{"id":1,"verb":"read","endpoint":"dev1","path":"/3","format":"xml"}"#, "bad-request"),
        (#"{"id":1,"verb":"write","endpoint":"dev1","path":"/1/0/1"}"#, "bad-request"),
        (#"{"id":1,"verb":"write","endpoint":"dev1","path":"/1/0/1","values":{"":"soon"}}"#, "bad-request"),
        (#"{"id":1,"verb":"write","endpoint":"dev1","path":"/1/0","values":{"x":"1"}}"#, "bad-request"),
        (#"{"id":1,"verb":"write","endpoint":"dev1","path":"/1/0/1/2","values":{"3":"1"}}"#, "bad-request"),
        (#"{"id":1,"verb":"write-attributes","endpoint":"dev1","path":"/3","attributes":{"pmin":-1}}"#, "bad-request"),
        (#"{"id":1,"verb":"write-attributes","endpoint":"dev1","path":"/3","attributes":{"x":1}}"#, "bad-request"),
        (#"{"id":1,"verb":"create","endpoint":"dev1","path":"/3/0/1"}"#, "bad-request"),
        (#"{"id":18446744073709551615,"verb":"list","endpoint":"dev1"}"#, "not-registered"),
        (#"{"id":1,"verb":"execute","endpoint":"dev1","path":"/3/0/4"}"#, "not-registered"),
    ]

    @Test(arguments: lines) func aLineThatMakesNoSenseIsAnswered(_ line: String, cause: String) throws {
        let bench = try ServiceBench()
        let control = try bench.control()
        #expect(control.send(Array(line.utf8)))
        let reply = try bench.reply(control)
        #expect(reply.kind == .error)
        #expect(reply.done)
        #expect(reply.cause == cause)
        // The socket still serves.
        #expect(try bench.ask(ControlRequest(id: 2, verb: .stats), control).stats?["registered"] == 0)
    }

    @Test func pagesOfAnyCursorAreHarmless() throws {
        let bench = try ServiceBench()
        let control = try bench.control()
        for cursor in [Int.min, -1, 0, 99, .max] {
            var request = ControlRequest(id: 1, verb: .list)
            request.cursor = cursor
            #expect(try bench.ask(request, control).devices == [])
        }
    }

    @Test func whatCannotBeUsedIsSaidWithAHint() throws {
        let bench = try ServiceBench()
        let used = bench.service.addresses[1]
        func start(_ addresses: [ListenAddress], _ keys: DeviceKeys = .none, control: String? = nil) -> ServiceError? {
            do throws(ServiceError) {
                _ = try ManagementService(
                    configuration: ManagementService.Configuration(
                        addresses: addresses,
                        keys: keys,
                        controlPath: control
                    )
                )
                return nil
            } catch {
                return error
            }
        }
        #expect(start([])?.hint.contains("--listen") == true)
        #expect(start([used])?.message.contains("in use") == true)
        #expect(start([try ListenAddress(parsing: "coaps://127.0.0.1:0")])?.hint.contains("--psk-key") == true)
        #expect(start([try ListenAddress(parsing: "coap://192.0.2.1:0")])?.message.contains("192.0.2.1") == true)
        let free = try ListenAddress(parsing: "coap://127.0.0.1:0")
        #expect(start([free], control: bench.folder + "/c")?.message.contains("in use") == true)
        #expect(start([free], control: bench.folder + "/none/c")?.hint.contains("folder") == true)
        #expect(start([free], control: bench.folder + "/d") == nil)
    }
}
