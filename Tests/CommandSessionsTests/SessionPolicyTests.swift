import CommandSessions
import LwM2MModel
import Primitives
import TestSupport
import Testing

@Suite("The policy of command sessions")
struct SessionPolicyTests {
    static func address(_ last: UInt8 = 1) throws -> IPAddress { try #require(IPAddress([192, 0, 2, last])) }

    static func policy(_ protected: String...) throws -> SessionPolicy {
        try SessionPolicy(
            gatewayAddresses: [try Self.address()],
            protectedPaths: try protected.map { try ObjectPath(parsing: UTF8Text($0)) }
        )
    }

    // MARK: Bounds

    @Test func whatNobodySaysIsTheStandard() throws {
        let policy = try Self.policy()
        #expect(policy.form == .bothIdentifiers)
        #expect(policy.gateway == nil)
        #expect(policy.breaches == .standard)
        #expect(policy.suspension == 3_600)
        #expect(policy.timeout == 60)
    }

    @Test func hasOneToSixteenAddresses() throws {
        let addresses = try (0...UInt8(SessionPolicy.maximumAddresses)).map { try Self.address($0) }
        for count in [1, 16] {
            #expect(try SessionPolicy(gatewayAddresses: Array(addresses.prefix(count))).gatewayAddresses.count == count)
        }
        for count in [0, 17] {
            #expect(throws: SessionPolicy.ValidationError.gatewayAddresses) {
                try SessionPolicy(gatewayAddresses: Array(addresses.prefix(count)))
            }
        }
    }

    @Test func protectsAtMostSixtyFourPathsAndNeverTheRoot() throws {
        let address = try Self.address()
        let paths = (0...UInt16(SessionPolicy.maximumPaths)).map { ObjectPath(3303, $0) }
        _ = try SessionPolicy(gatewayAddresses: [address], protectedPaths: Array(paths.prefix(64)))
        for refused in [paths, [ObjectPath(3), .root]] {
            #expect(throws: SessionPolicy.ValidationError.protectedPaths) {
                try SessionPolicy(gatewayAddresses: [address], protectedPaths: refused)
            }
        }
    }

    @Test(arguments: [(1, 1, true), (2_592_000, 86_400, true), (0, 1, false), (1, 0, false)])
    func durationsAreWholeSecondsInTheirRange(_ suspension: UInt32, timeout: UInt32, isValid: Bool) throws {
        let address = try Self.address()
        if isValid {
            let policy = try SessionPolicy(gatewayAddresses: [address], suspension: suspension, timeout: timeout)
            #expect((policy.suspension, policy.timeout) == (suspension, timeout))
        } else {
            #expect(throws: SessionPolicy.ValidationError.duration) {
                try SessionPolicy(gatewayAddresses: [address], suspension: suspension, timeout: timeout)
            }
        }
    }

    @Test(arguments: [(2_592_001, 60), (3_600, 86_401), (UInt32.max, UInt32.max)])
    func durationsEnd(_ suspension: UInt32, timeout: UInt32) throws {
        let address = try Self.address()
        #expect(throws: SessionPolicy.ValidationError.duration) {
            try SessionPolicy(gatewayAddresses: [address], suspension: suspension, timeout: timeout)
        }
    }

    @Test func theGatewayIsAShortServerIDThatThereIs() throws {
        let address = try Self.address()
        for gateway in [1, 65_534] as [UInt16] {
            #expect(try SessionPolicy(gateway: gateway, gatewayAddresses: [address]).gateway == gateway)
        }
        for gateway in [0, 65_535] as [UInt16] {
            #expect(throws: SessionPolicy.ValidationError.malformed(resource: 18)) {
                try SessionPolicy(gateway: gateway, gatewayAddresses: [address])
            }
        }
    }

    // MARK: Protection

    private static let changes: [(path: String, isProtected: Bool)] = [
        ("/3303/0/5601", true), ("/3303/0", true), ("/3303", true), ("/3303/0/5700", false), ("/3303/1", false),
        ("/3303/1/5601", false), ("/3304", false),
        ("/30000/2", true), ("/30000/2/1", true), ("/30000/2/1/9", true), ("/30000", true), ("/30000/20", false),
        ("/5", true), ("/5/0/1/2", true), ("/50", false),
        ("/6/0/1/3", true), ("/6/0/1", true), ("/6/0/1/4", false), ("/6/0/2", false),
    ]

    @Test("It protects a path, what is below, and what it is below", arguments: changes)
    func protects(_ path: String, isProtected: Bool) throws {
        let policy = try Self.policy("/3303/0/5601", "/30000/2", "/5", "/6/0/1/3")
        #expect(policy.protects(try ObjectPath(parsing: UTF8Text(path))) == isProtected)
    }

    @Test func withoutPathsNothingIsProtected() throws {
        #expect(try !Self.policy().protects(ObjectPath(5, 0, 1)))
        #expect(try !Self.policy().protects(.root))
    }

    // MARK: As records

    static func random(_ generator: inout SeededGenerator) throws -> SessionPolicy {
        var breaches = BreachPolicy.standard
        for line in BreachPolicy.Line.allCases {
            breaches[line] = BreachPolicy.Responses(rawValue: UInt8.random(in: 0..<64, using: &generator))
        }
        let addresses = try (0..<Int.random(in: 1...16, using: &generator)).map { _ in
            let count = Bool.random(using: &generator) ? 4 : 16
            return try #require(IPAddress((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }))
        }
        let paths = (0..<Int.random(in: 0...64, using: &generator)).map { _ in
            var path = ObjectPath(UInt16.random(in: 0..<65_535, using: &generator))
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                path = path.appending(UInt16.random(in: 0..<65_535, using: &generator))
            }
            return path
        }
        return try SessionPolicy(
            form: Bool.random(using: &generator) ? .bothIdentifiers : .deviceIdentifier,
            gateway: Bool.random(using: &generator) ? nil : UInt16.random(in: 1...65_534, using: &generator),
            gatewayAddresses: addresses,
            protectedPaths: paths,
            breaches: breaches,
            suspension: UInt32.random(in: 1...2_592_000, using: &generator),
            timeout: UInt32.random(in: 1...86_400, using: &generator)
        )
    }

    @Test("Every policy comes back from its records, which the definition of the object takes")
    func recordsRoundTrip() throws {
        let definition = SessionPolicy.objectDefinition()
        try SeededRuns.each(200) { generator in
            let policy = try Self.random(&generator)
            let records = policy.records(instance: 7)
            for record in records {
                try #require(record.path.object == OwnObjectIDs.standard.commandSession && record.path.instance == 7)
                let resource = try #require(record.path.resource.flatMap(definition.resource))
                try #require(record.value.matches(resource.type) && resource.range.contains(record.value))
                try #require(resource.isMultiple == (record.path.depth == 4))
                try #require(resource.operations.contains([.read, .write]))
            }
            try #require(try SessionPolicy(records: records) == policy)
            try #require(try SessionPolicy(records: records.reversed()).timeout == policy.timeout)
        }
    }

    @Test func recordsStandWhereTheObjectDoes() throws {
        let ids = try #require(OwnObjectIDs(first: 40_000))
        let records = try Self.policy("/5").records(instance: 0, ids: ids)
        #expect(records.allSatisfy { $0.path.object == ids.commandSession })
        #expect(try SessionPolicy(records: records) == Self.policy("/5"))
        #expect(SessionPolicy.objectDefinition(ids: ids).id == ids.commandSession)
    }

    static func record(_ resource: SessionResource, _ value: ResourceValue) -> ResourceRecord {
        let path = ObjectPath(OwnObjectIDs.standard.commandSession, 0, resource.rawValue)
        let isMultiple = resource == .gatewayAddresses || resource == .protectedPaths
        return ResourceRecord(isMultiple ? path.appending(0) : path, value)
    }

    @Test func whatIsMissingIsAsInThePolicyOfWhoWasToldNothing() throws {
        let address = Self.record(.gatewayAddresses, .string("192.0.2.1"))
        #expect(try SessionPolicy(records: [address]) == Self.policy())
        // What is no policy is passed over, and an unsigned number is as good as any.
        let others: [ResourceRecord] = [
            Self.record(.alarm, .boolean(true)), Self.record(.message2, .opaque([1])),
            Self.record(.timeout, .unsignedInteger(60)), Self.record(.gateway, .integer(0)),
            ResourceRecord(ObjectPath(42_770, 0, 999), .string("x")),
            ResourceRecord(ObjectPath(42_770, 0), .integer(1)),
        ]
        #expect(try SessionPolicy(records: [address] + others) == Self.policy())
        #expect(throws: SessionPolicy.ValidationError.gatewayAddresses) { try SessionPolicy(records: others) }
    }

    private static let malformed: [(resource: SessionResource, values: [ResourceValue])] = [
        (.mode, [.integer(2), .integer(-1), .integer(256), .string("0"), .boolean(true)]),
        (.gatewayAddresses, [.string(""), .string("localhost"), .string("192.0.2.1:5683"), .opaque([1]), .integer(1)]),
        (.protectedPaths, [.string(""), .string("3303"), .string("/x"), .string("/1/2/3/4/5"), .integer(3303)]),
        (.breachPolicy, [.string("x"), .string("spoofed=explode"), .opaque([]), .integer(1)]),
        (.suspension, [.integer(-1), .integer(4_294_967_296), .string("60")]),
        (.timeout, [.integer(-1), .integer(4_294_967_296), .boolean(true)]),
        (.gateway, [.integer(-1), .integer(65_536), .integer(65_535), .string("101")]),
    ]

    @Test("A value that cannot be read names its resource", arguments: malformed)
    func refusesMalformedValues(_ resource: SessionResource, values: [ResourceValue]) throws {
        let address = Self.record(.gatewayAddresses, .string("192.0.2.1"))
        for value in values {
            #expect(throws: SessionPolicy.ValidationError.malformed(resource: resource.rawValue), "\(value)") {
                try SessionPolicy(records: [address, Self.record(resource, value)])
            }
        }
    }

    @Test func boundsHoldForRecordsToo() throws {
        let path = ObjectPath(OwnObjectIDs.standard.commandSession, 0)
        let addresses = (0..<17 as Range<UInt16>).map {
            ResourceRecord(path.appending(4).appending($0), .string("192.0.2.1"))
        }
        let paths = (0..<65 as Range<UInt16>).map { ResourceRecord(path.appending(5).appending($0), .string("/5")) }
        #expect(throws: SessionPolicy.ValidationError.gatewayAddresses) { try SessionPolicy(records: addresses) }
        for protected in [paths, [Self.record(.protectedPaths, .string("/"))]] {
            #expect(throws: SessionPolicy.ValidationError.protectedPaths) {
                try SessionPolicy(records: [addresses[0]] + protected)
            }
        }
        for resource in [SessionResource.timeout, .suspension] {
            #expect(throws: SessionPolicy.ValidationError.duration) {
                try SessionPolicy(records: [addresses[0], Self.record(resource, .integer(0))])
            }
        }
    }

    @Test("No values of the object's resources end the program")
    func survivesAnyRecords() throws {
        try SeededRuns.each(500) { generator in
            let records = try (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                let resource = try #require(SessionResource.allCases.randomElement(using: &generator))
                let bytes = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
                    UInt8.random(in: 0x20...0x7E, using: &generator)
                }
                let values: [ResourceValue] = [
                    .string(UTF8Text(validating: bytes) ?? ""), .opaque(bytes), .boolean(true), .float(.nan),
                    .integer(Int64.random(in: .min ... .max, using: &generator)), .unsignedInteger(.max),
                ]
                return Self.record(resource, try #require(values.randomElement(using: &generator)))
            }
            guard let policy = try? SessionPolicy(records: records) else { return }
            try #require(try SessionPolicy(records: policy.records(instance: 0)) == policy)
        }
    }
}
