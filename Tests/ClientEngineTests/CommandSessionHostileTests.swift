import ClientEngine
import CoAPMessages
import CommandSessions
import LwM2MCodecs
import LwM2MModel
import Primitives
import TestSupport
import Testing

@Suite("No bytes end a device with command sessions, or change what it protects")
struct CommandSessionHostileTests {
    private static let protected = ObjectPath(30_000, 0)

    private static func payload(_ generator: inout SeededGenerator, around message: [UInt8]) -> [UInt8] {
        switch Int.random(in: 0...3, using: &generator) {
        case 0:
            return (0..<Int.random(in: 0...80, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
        case 1:
            return Array(message.prefix(Int.random(in: 0...message.count, using: &generator)))
        default:
            var damaged = message
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: damaged.indices, using: &generator)
                damaged[index] = UInt8.random(in: 0...255, using: &generator)
            }
            return damaged
        }
    }

    /// A message of the session in progress, of another one, or of none.
    private static func message(
        _ generator: inout SeededGenerator,
        _ command: SessionCommand,
        _ identifiers: [SessionIdentifier?]
    ) -> (bytes: [UInt8], resource: SessionResource) {
        let resources: [SessionResource] = [.message1, .message3, .outcomeQuery]
        let any = resources.randomElement(using: &generator) ?? .message1
        let gsid = identifiers.randomElement(using: &generator) ?? nil
        let dsid = identifiers.randomElement(using: &generator) ?? nil
        if let dsid, Int.random(in: 0...9, using: &generator) == 0 {
            return (SessionPair(gsid: gsid, dsid: dsid).encoded, any)
        }
        let number = UInt8.random(in: 1...3, using: &generator)
        let isMisplaced = Int.random(in: 0...3, using: &generator) == 0
        return (
            SessionMessage(number: number, command: command, gsid: gsid, dsid: dsid).encoded,
            isMisplaced ? any : number == 1 ? .message1 : .message3
        )
    }

    private static func request(
        _ generator: inout SeededGenerator,
        _ message: [UInt8]
    ) throws -> CoAPRequest {
        let resource = try #require(SessionResource.allCases.randomElement(using: &generator))
        var path = SessionBench.object
        for part in [
            UInt16.random(in: 0...1, using: &generator), resource.rawValue, UInt16.random(in: 0...3, using: &generator),
        ]
        .prefix([0, 1, 2, 2, 2, 2, 3].randomElement(using: &generator) ?? 2) {
            path = path.appending(part)
        }
        let formats: [ContentFormat?] = [nil, .opaque, .opaque, .text, .tlv, .senMLCBOR, .senMLJSON]
        let methods: [CoAPCode] = [.put, .put, .put, .post, .delete, .get]
        let method = methods.randomElement(using: &generator) ?? .put
        if method == .get, Bool.random(using: &generator) {
            return Sample.observe(path, UInt64.random(in: 0...1, using: &generator), accept: .senMLCBOR)
        }
        return Sample.request(
            method,
            path,
            query: Int.random(in: 0...9, using: &generator) == 0 ? ["pmin=1"] : [],
            format: formats.randomElement(using: &generator) ?? .opaque,
            payload: Self.payload(&generator, around: message)
        )
    }

    /// A policy that only logs goes on after every breach.
    private static func calm() throws -> SessionPolicy {
        var breaches = BreachPolicy.standard
        for line in BreachPolicy.Line.allCases { breaches[line] = [.log, .report] }
        return try SessionBench.policy(protected: ["/30000"], breaches: breaches)
    }

    @Test(
        "Any bytes at any resource of the object, from the gateway and from another server: one answer each, and nothing done"
    )
    func randomPayloads() throws {
        let command = try #require(SessionCommand(.delete, Self.protected))
        try SeededRuns.each(30) { generator in
            var bench = try SessionBench(SessionBench.configuration(Self.calm(), servers: 2))
            let before = bench.driver.engine.records(below: Self.protected)
            let policy = try SessionPolicy(records: bench.driver.engine.records(below: SessionBench.object))
            let gsid = try bench.newIdentifier()
            for round in 0..<300 {
                if round.isMultiple(of: 20) {
                    _ = bench.put(.message1, SessionMessage(number: 1, command: command, gsid: gsid, dsid: nil).encoded)
                }
                let honest = SessionMessage(number: 1, command: command, gsid: gsid, dsid: nil).encoded
                let request = try Self.request(&generator, honest)
                let server = Int.random(in: 0...1, using: &generator)
                let (exchange, outputs) = bench.driver.request(request, session: bench.sessions[server])
                let answers = outputs.filter { if case .sendResponse(exchange, _) = $0 { true } else { false } }
                try #require(answers.count == 1)
                if round.isMultiple(of: 50) { bench.driver.advance(.seconds(61)) }
            }
            try #require(bench.driver.engine.records(below: Self.protected) == before)
            let after = bench.driver.engine.records(below: SessionBench.object)
            try #require(try SessionPolicy(records: after) == policy)
            try #require(after.count <= SessionResource.allCases.count + 1)
            bench.driver.advance(.seconds(61))
            // The device is as willing as before.
            let known = bench.stored?.sessions?.first?.record.dsid.established
            try #require(try bench.run(command, knowing: known).code == .changed)
        }
    }

    @Test("Messages of all kinds in any order execute nothing without a complete echo")
    func randomMessages() throws {
        var echoed = 0
        try SeededRuns.each(30) { generator in
            var bench = try SessionBench(SessionBench.configuration(Self.calm(), servers: 2))
            let command = try #require(SessionCommand(.execute, ObjectPath(30_000, 0, 4)))
            var identifiers: [SessionIdentifier?] = [nil]
            for _ in 0..<2 { identifiers.append(try bench.newIdentifier()) }
            var executions = 0
            var echoes = 0
            for _ in 0..<300 {
                let message2 = bench.value(.message2)
                if case .opaque(let bytes)? = message2 {
                    identifiers[0] = try SessionMessage(decoding: bytes).dsid
                }
                let (message, resource) = Self.message(&generator, command, identifiers)
                _ = bench.put(resource, message, server: Int.random(in: 0...5, using: &generator) == 0 ? 1 : 0)
                guard let execution = bench.outputs.execution else { continue }
                executions += 1
                // Only what repeats message 2 to the byte, but for its number, is an echo.
                if case .opaque(var bytes)? = message2, resource == .message3 {
                    bytes[1] = 3
                    if bytes == message { echoes += 1 }
                }
                bench.driver.handle(.executed(execution, .changed))
                identifiers = [identifiers[0], identifiers[2], try bench.newIdentifier()]
            }
            try #require(executions == echoes)
            echoed += echoes
        }
        #expect(echoed > 0, "chance makes some whole sessions, or this test says nothing")
    }

    @Test("Any bytes of a bootstrap server at any resource of the object: what is there is a policy, or is as before")
    func randomBootstrap() throws {
        try SeededRuns.each(30) { generator in
            var bench = try SessionBench(bootstrapping: Self.calm())
            let session = try bench.beginBootstrap()
            for _ in 0..<200 {
                let records = try Self.calm().records(instance: UInt16.random(in: 0...9, using: &generator))
                let path = SessionBench.object.appending(UInt16.random(in: 0...9, using: &generator))
                let honest = try Payload.encode(records, as: .senMLCBOR, at: SessionBench.object)
                var request = try Self.request(&generator, honest)
                if Bool.random(using: &generator) {
                    request = Sample.request(
                        .put,
                        path,
                        format: .senMLCBOR,
                        payload: Self.payload(&generator, around: honest)
                    )
                }
                let (exchange, outputs) = bench.driver.request(request, session: session)
                try #require(outputs.contains { if case .sendResponse(exchange, _) = $0 { true } else { false } })
            }
            let instances = Set(bench.driver.engine.records(below: SessionBench.object).compactMap { $0.path.instance })
            try #require(instances.count <= EngineLimits.commandSessions)
            for instance in instances {
                let path = SessionBench.object.appending(instance)
                _ = try SessionPolicy(records: bench.driver.engine.records(below: path))
            }
            let (_, outputs) = bench.driver.request(BootstrapTests.finish, session: session)
            bench.keepStored(outputs)
            try #require(Set(bench.stored?.sessions?.map { $0.instance.id } ?? []) == instances)
        }
    }
}
