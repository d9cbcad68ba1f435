import ClientEngine
import CoAPTransport
import CommandGateway
import CommandSessions
import DeviceRuntime
import Foundation
import GatewayEngine
import LoopbackPeers
import LwM2MModel
import ManagementService
import Primitives
import ServiceSupport
import Testing

/// A gateway and real devices on loopback, turned in turn in the test's thread.
final class GatewayBench {
    /// What was waited for did not happen in time.
    struct TooLate: Error {
        let awaited: String
    }

    /// The resource that devices protect, and only commands change.
    static let path = "/3303/0/5750"

    let folder = TemporaryFolder()
    private(set) var gateway: CommandGateway
    /// What the gateway reported, also before a restart.
    private(set) var reports: [GatewayReport] = []
    /// How commands ended, in the order in which the gateway said so.
    private(set) var outcomes: [(command: UInt64, endpoint: String, outcome: CommandOutcome)] = []
    /// What devices reported.
    private(set) var deviceReports: [DeviceReport] = []

    let runtime: DeviceRuntime
    private let loop: EventLoop
    private var configuration: CommandGateway.Configuration

    /// - Parameter hasState: whether the gateway keeps its state.
    init(hasState: Bool = true, _ adjust: (inout GatewayConfiguration) -> Void = { _ in }) throws {
        var configuration = CommandGateway.Configuration(
            addresses: [
                try ListenAddress(parsing: "coaps://127.0.0.1:0"), try ListenAddress(parsing: "coap://127.0.0.1:0"),
            ],
            keys: .shared(LoopbackDevice.key),
            statePath: hasState ? self.folder.path + "/state" : nil,
            controlPath: self.folder.path + "/c"
        )
        adjust(&configuration.gateway)
        self.gateway = try CommandGateway(configuration: configuration)
        // A gateway that was started anew is found where the one before it was.
        configuration.addresses = self.gateway.addresses
        self.configuration = configuration
        self.loop = try EventLoop()
        let transport = try CoAPTransport(configuration: CoAPTransport.Configuration(), loop: self.loop)
        self.runtime = DeviceRuntime(loop: self.loop, transport: transport, resolver: nil)
        self.runtime.keepsConfigurations = true
        self.runtime.onReport = { [unowned self] _, report, _ in self.deviceReports.append(report) }
        self.listen()
    }

    private func listen() {
        self.gateway.onReport = { [unowned self] in self.reports.append($0) }
        self.gateway.onOutcome = { [unowned self] in self.outcomes.append(($0.rawValue, $1.string, $2)) }
    }

    /// Ends the gateway where it is, as a crash does, and begins another one with its state.
    func restart() throws {
        // State and addresses are taken until the first one is gone: an idle one stands in.
        var idle = self.configuration
        idle.addresses = [try ListenAddress(parsing: "coap://127.0.0.1:0")]
        idle.statePath = nil
        idle.controlPath = nil
        self.gateway = try CommandGateway(configuration: idle)
        try self.drive("the addresses are free") {
            do { self.gateway = try CommandGateway(configuration: self.configuration) } catch let error as ServiceError
            {
                // A process that another test began holds the sockets that were open then, for as long as it lives.
                guard error.message.hasSuffix("is in use") else { throw error }
                return false
            }
            return true
        }
        self.listen()
    }

    // MARK: Turns

    /// Turns everybody until the condition holds; a busy machine gets a minute.
    func drive(_ awaited: String, until condition: () throws -> Bool) throws {
        let end = self.loop.now.advanced(by: .seconds(60))
        while try !condition() {
            guard self.loop.now < end else { throw TooLate(awaited: awaited) }
            self.turnGateway()
            self.turnDevices()
        }
    }

    func turnGateway() { self.gateway.turn(until: self.loop.now.advanced(by: .milliseconds(2))) }

    func turnDevices() { self.runtime.run(until: self.loop.now.advanced(by: .milliseconds(2))) }

    // MARK: Devices

    /// What a device is told; it protects object 3303.
    func deviceConfiguration(
        _ endpoint: String = "dev1",
        isSecured: Bool = true,
        form: SessionForm = .bothIdentifiers,
        identifiers: SessionPair? = nil
    ) throws -> ClientConfiguration {
        let address = self.gateway.addresses[isSecured ? 0 : 1]
        var account = SecurityAccount(instance: 0, serverURI: UTF8Text(address.text), shortServerID: 1)
        if isSecured {
            account.mode = .preSharedKey
            account.identity = Array(endpoint.utf8)
            account.key = LoopbackDevice.key
        }
        var configuration = ClientConfiguration(
            endpoint: UTF8Text(endpoint),
            security: [account],
            servers: [ServerAccount(instance: 0, shortServerID: 1, lifetime: 300)],
            objects: [
                HostedObject(
                    Objects.device,
                    instances: [HostedInstance(0, [0: .string("Acme"), 16: .string("U")])],
                    executables: [4]
                ),
                HostedObject(
                    Objects.temperature,
                    instances: [HostedInstance(0, [5700: .float(20), 5750: .string("attic")])],
                    allowsCreateDelete: true
                ),
            ]
        )
        configuration.commandSessions = [
            CommandSessionAccount(
                policy: try SessionPolicy(fields: [
                    ("gateway", "127.0.0.1"), ("protect", "/3303"),
                    ("form", form == .bothIdentifiers ? "both" : "device"),
                ]),
                identifiers: identifiers
            )
        ]
        return configuration
    }

    /// Adds a device and waits until it is registered.
    @discardableResult
    func startDevice(
        _ endpoint: String = "dev1",
        isSecured: Bool = true,
        form: SessionForm = .bothIdentifiers,
        identifiers: SessionPair? = nil
    ) throws -> DeviceID {
        let configuration = try self.deviceConfiguration(
            endpoint,
            isSecured: isSecured,
            form: form,
            identifiers: identifiers
        )
        let device = self.runtime.addDevice(configuration, registry: .standard, seed: 1)
        self.runtime.deliver(.started, to: device)
        try self.waitUntilRegistered(device)
        return device
    }

    /// Waits until the device registers from now on.
    func waitUntilRegistered(_ device: DeviceID) throws {
        let count = self.deviceReports.count
        try self.drive("a registration") {
            self.deviceReports.dropFirst(count).contains { if case .client(.registered) = $0 { true } else { false } }
        }
    }

    /// Takes a device down and starts it again, with what it had stored.
    func restartDevice(_ device: DeviceID, isSecured: Bool = true) throws {
        let configuration = try self.deviceConfiguration(isSecured: isSecured)
        self.runtime.restartDevice(device, configuration, registry: .standard, seed: 2)
    }

    /// The text that commands change.
    func value(of device: DeviceID) -> ResourceValue? { self.runtime.value(at: ObjectPath(3303, 0, 5750), of: device) }

    /// A number of the device's Command Session object.
    func number(_ resource: SessionResource, of device: DeviceID) -> Int64? {
        self.runtime.value(at: ObjectPath(42_770, 0, resource.rawValue), of: device)?.asInteger
    }

    // MARK: The control socket

    func control() throws -> LineClient { try LineClient(path: self.folder.path + "/c") }

    func send(_ request: ControlRequest, _ client: LineClient) throws {
        #expect(client.send(Array(try JSONEncoder().encode(request))))
    }

    /// The next line of the control socket, as it came.
    func line(_ client: LineClient) throws -> [UInt8] {
        var line: [UInt8]?
        try self.drive("a line on the control socket") {
            line = client.receive(within: 0)
            return line != nil
        }
        return try #require(line)
    }

    func reply(_ client: LineClient) throws -> ControlReply {
        try JSONDecoder().decode(ControlReply.self, from: Data(try self.line(client)))
    }

    /// Every line about a request, to the last.
    func ask(_ request: ControlRequest, _ client: LineClient) throws -> [ControlReply] {
        try self.send(request, client)
        var replies: [ControlReply] = []
        repeat { replies.append(try self.reply(client)) } while replies.last?.done == false
        return replies
    }

    /// The last line about a request.
    func answer(to request: ControlRequest) throws -> ControlReply {
        try #require(try self.ask(request, try self.control()).last)
    }

    /// Gives a command and waits for its end.
    func command(_ request: ControlRequest = .command()) throws -> ControlReply { try self.answer(to: request) }

    /// Gives a command and waits until it is accepted; whoever gave it stays.
    @discardableResult
    func give(_ request: ControlRequest = .command()) throws -> LineClient {
        let client = try self.control()
        try self.send(request, client)
        #expect(try self.reply(client).event == "accepted")
        return client
    }

    func standing(_ endpoint: String = "dev1") throws -> [String: ControlScalar] {
        try #require(try self.answer(to: ControlRequest(id: 1, verb: .standing, endpoint: endpoint)).details)
    }

    /// What the audit log says, the oldest first.
    func audit(_ endpoint: String? = nil) throws -> [String] {
        let lines = try self.ask(ControlRequest(id: 1, verb: .audit, endpoint: endpoint), try self.control())
        return lines.reversed().compactMap { $0.details?["what"]?.text }
    }
}

extension ControlRequest {
    /// A command that writes the protected text.
    static func command(
        _ value: String = "cellar",
        to endpoint: String = "dev1",
        id: UInt64 = 1,
        at path: String = GatewayBench.path
    ) -> ControlRequest {
        var request = ControlRequest(id: id, verb: .command, endpoint: endpoint, path: path)
        request.operation = "write"
        request.values = ["": value]
        return request
    }
}

extension ControlReply {
    func detail(_ name: String) -> String? { self.details?[name]?.text }
}
