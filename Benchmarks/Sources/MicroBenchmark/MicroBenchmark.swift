import CLibCoAP
import ClientEngine
import CoAPMessages
import Glibc
import LwM2MCodecs
import LwM2MModel
import Primitives

/// Time of one operation of the codecs and of one event of the engine, and what an engine's state weighs.
@main struct MicroBenchmark {
    static func main() throws {
        print("operation                                      ns    bytes")
        try self.codecs()
        try self.messages()
        self.engine()
        self.engineMemory()
        try DerivationBenchmark.run()
    }

    // MARK: Codecs

    /// The Device object as a fleet device has it: nine resources, one of them with an instance.
    private static let device: [ResourceRecord] = [
        ResourceRecord(ObjectPath(3, 0, 0), .string("Starling")),
        ResourceRecord(ObjectPath(3, 0, 1), .string("Virtual device")),
        ResourceRecord(ObjectPath(3, 0, 2), .string("urn:dev:starling:000001")),
        ResourceRecord(ObjectPath(3, 0, 3), .string("1.0.0")),
        ResourceRecord(ObjectPath(3, 0, 9), .integer(97)),
        ResourceRecord(ObjectPath(resourceInstance: 3, 0, 11, 0), .integer(0)),
        ResourceRecord(ObjectPath(3, 0, 14), .string("+00:00")),
        ResourceRecord(ObjectPath(3, 0, 15), .string("Etc/UTC")),
        ResourceRecord(ObjectPath(3, 0, 16), .string("U")),
    ]

    private static func codecs() throws {
        let instance = ObjectPath(3, 0)
        let formats: [(String, ContentFormat)] = [
            ("TLV", .tlv), ("SenML JSON", .senMLJSON), ("SenML CBOR", .senMLCBOR),
        ]
        for (name, format) in formats {
            let bytes = try Payload.encode(self.device, as: format, at: instance)
            self.measure("encode /3/0 as \(name)", bytes: bytes.count) {
                (try? Payload.encode(self.device, as: format, at: instance))?.count ?? 0
            }
            self.measure("decode /3/0 from \(name)", bytes: bytes.count) {
                (try? Payload.decode(bytes, as: format, at: instance, registry: ObjectRegistry.standard))?.count ?? 0
            }
        }
    }

    private static func messages() throws {
        let request = CoAPRequest(
            .post,
            path: ["rd"],
            query: ["ep=urn:dev:starling:000001", "lt=300", "lwm2m=1.1", "b=U"],
            contentFormat: .linkFormat,
            payload: Array("</>;rt=\"oma.lwm2m\";ct=110,</1/0>,</3/0>,</3303/0>".utf8)
        )
        var message = CoAPMessage(.confirmable, request.method, id: 7)
        message.options = request.options
        message.payload = request.payload
        let bytes = try message.encoded()
        self.measure("encode a Register message", bytes: bytes.count) { (try? message.encoded())?.count ?? 0 }
        self.measure("decode a Register message", bytes: bytes.count) {
            (try? CoAPMessage(decoding: bytes))?.payload.count ?? 0
        }
    }

    // MARK: The engine

    private static func makeEngine(_ index: Int) -> ClientEngine {
        let configuration = ClientConfiguration(
            endpoint: UTF8Text("urn:dev:starling:\(100_000 + index)"),
            security: [
                SecurityAccount(instance: 0, serverURI: "coap://127.0.0.1:5683", shortServerID: 1)
            ],
            servers: [ServerAccount(instance: 0, shortServerID: 1, lifetime: 300)],
            objects: [
                HostedObject(
                    Objects.device,
                    instances: [
                        HostedInstance(
                            0,
                            [
                                0: .string("Starling"), 1: .string("Virtual device"), 3: .string("1.0.0"),
                                9: .integer(100), 14: .string("+00:00"), 15: .string("Etc/UTC"), 16: .string("U"),
                            ]
                        )
                    ]
                ),
                HostedObject(
                    Objects.temperature,
                    instances: [HostedInstance(0, [5700: .float(20), 5701: .string("Cel")])]
                ),
            ]
        )
        return ClientEngine(configuration: configuration, registry: ObjectRegistry.standard, seed: UInt64(index))
    }

    /// Drives an engine until it is registered.
    ///
    /// - Returns: its session.
    private static func register(_ engine: inout ClientEngine, now: inout MonotonicTime) -> SessionID? {
        var session: SessionID?
        engine.handle(.started, now: now)
        for _ in 0..<100 {
            guard let output = engine.nextOutput() else {
                guard let deadline = engine.nextDeadline, session == nil else { break }
                now = max(now, deadline)
                engine.handle(.deadlineReached, now: now)
                continue
            }
            switch output {
            case .openSession(let opened, _, _):
                session = opened
                engine.handle(.sessionOpened(opened), now: now)
            case .sendRequest(let request, _, _):
                var answer = CoAPResponse(.created)
                answer.options.append(.locationPath, Array("rd".utf8))
                answer.options.append(.locationPath, Array("5a3f".utf8))
                engine.handle(.responseReceived(request, answer), now: now)
            default:
                break
            }
        }
        return session
    }

    private static func drain(_ engine: inout ClientEngine) -> Int {
        var count = 0
        while engine.nextOutput() != nil { count += 1 }
        return count
    }

    private static func engine() {
        var now = MonotonicTime.zero
        var engine = self.makeEngine(0)
        guard let session = self.register(&engine, now: &now), let token = CoAPToken([1, 2, 3, 4]) else {
            print("the engine did not register")
            exit(1)
        }
        _ = self.drain(&engine)
        var exchange: UInt64 = 0
        let read = CoAPRequest(.get, path: ["3", "0"], accept: .senMLCBOR)
        let observe = CoAPRequest(.get, path: ["3303", "0", "5700"], accept: .senMLCBOR)
        var begin = observe
        begin.options.append(.observe, unsigned: 0)
        let write = CoAPRequest(.put, path: ["1", "0", "1"], contentFormat: .text, payload: Array("300".utf8))
        func request(_ request: CoAPRequest) -> Int {
            exchange += 1
            engine.handle(
                .requestReceived(ExchangeID(rawValue: exchange), session, request, token: token),
                now: now
            )
            return self.drain(&engine)
        }
        self.measure("engine: Read /3/0") { request(read) }
        self.measure("engine: Read /3303/0/5700") { request(observe) }
        self.measure("engine: Write /1/0/1") { request(write) }
        var reading = 0.0
        self.measure("engine: a value changes, nobody observes") {
            reading += 0.5
            engine.handle(.valueSet([ResourceRecord(ObjectPath(3303, 0, 5700), .float(reading))]), now: now)
            return self.drain(&engine) + 1
        }
        _ = request(begin)
        var notifications = 0
        var changes = 0
        self.measure("engine: a value changes, one notification") {
            changes += 1
            reading += 0.5
            now = now.advanced(by: .milliseconds(1))
            engine.handle(.valueSet([ResourceRecord(ObjectPath(3303, 0, 5700), .float(reading))]), now: now)
            notifications += self.drainNotifications(&engine)
            return 1
        }
        if notifications != changes { print("  but \(notifications) notifications for \(changes) changes") }
    }

    private static func drainNotifications(_ engine: inout ClientEngine) -> Int {
        var count = 0
        while let output = engine.nextOutput() { if case .sendNotification = output { count += 1 } }
        return count
    }

    private static func engineMemory() {
        let count = 20_000
        var engines: [ClientEngine] = []
        engines.reserveCapacity(count)
        let before = self.allocatedBytes
        for index in 0..<count {
            var now = MonotonicTime.zero
            var engine = self.makeEngine(index)
            guard self.register(&engine, now: &now) != nil else { exit(1) }
            engines.append(engine)
        }
        let bytes = (self.allocatedBytes - before) / count + MemoryLayout<ClientEngine>.stride
        print("engine: state of one registered device     \(self.column("-", 7))  \(self.column("\(bytes)", 7))")
        withExtendedLifetime(engines) {}
    }

    // MARK: Measuring

    private static var allocatedBytes: Int { Int(mallinfo2().uordblks) }

    /// Runs an operation for a fifth of a second and prints what one took.
    private static func measure(_ name: String, bytes: Int? = nil, _ body: () -> Int) {
        let clock = ContinuousClock()
        var sum = 0
        for _ in 0..<100 { sum &+= body() }
        var count = 0
        let start = clock.now
        var elapsed = Duration.zero
        while elapsed < .milliseconds(200) {
            for _ in 0..<100 { sum &+= body() }
            count += 100
            elapsed = clock.now - start
        }
        if sum == 0 {
            print("\(name): nothing came out")
            exit(1)
        }
        let nanoseconds = Int(elapsed / .nanoseconds(1)) / count
        let name = name + String(repeating: " ", count: max(1, 43 - name.count))
        print("\(name)\(self.column("\(nanoseconds)", 7))  \(self.column(bytes.map { "\($0)" } ?? "-", 7))")
    }

    private static func column(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
