import BootstrapURIs
import LwM2MModel
import Primitives
import TestSupport
import Testing

@Suite struct ProfileObjectTests {
    private static let object = OwnObjectIDs.standard.bootstrapURIProfile

    private static func record(_ resource: UInt16, _ value: ResourceValue) -> ResourceRecord {
        ResourceRecord(ObjectPath(Self.object, 0, resource), value)
    }

    @Test func theDefinitionHasAResourceForEveryField() throws {
        let definition = BootstrapURIProfile.objectDefinition()
        #expect(definition.id == 42_769)
        #expect(definition.isMultiple)
        #expect(!definition.isMandatory)
        #expect(definition.resources.map(\.id) == Array(0...UInt16(ProfileField.allCases.count)))
        #expect(Set(definition.resources.map(\.name)).count == definition.resources.count)
        let link = try #require(definition.resource(BootstrapURIProfile.securityLinkResource))
        #expect(link.type == .objectLink)
        #expect(link.isMandatory)
    }

    @Test("Everything reads back, and nothing could hold a secret") func noResourceHoldsASecret() {
        for resource in BootstrapURIProfile.objectDefinition().resources {
            #expect(resource.operations == .readWrite)
            #expect(resource.type != .opaque)
        }
    }

    @Test func theObjectMovesWithTheBlock() throws {
        let ids = try #require(OwnObjectIDs(first: 33_000))
        #expect(BootstrapURIProfile.objectDefinition(ids: ids).id == 33_000)
        let records = BootstrapURIProfile.standard.records(instance: 4, securityInstance: 2, ids: ids)
        #expect(records.allSatisfy { ObjectPath(33_000, 4).contains($0.path) })
        #expect(records[0].value == .objectLink(object: 0, instance: 2))
        #expect(try BootstrapURIProfile(records: records, ids: ids) == .standard)
        #expect(throws: ProfileError.unknownRecord) { try BootstrapURIProfile(records: records) }
    }

    @Test func aProfileComesBackFromItsRecords() throws {
        let definition = BootstrapURIProfile.objectDefinition()
        try SeededRuns.each(100) { random in
            let profile = try #require(RandomProfile.make(&random))
            var records = profile.records()
            for record in records {
                let resource = try #require(record.path.resource.flatMap { definition.resource($0) })
                try #require(record.value.matches(resource.type))
                try #require(resource.range.contains(record.value))
            }
            records.shuffle(using: &random)
            try #require(try BootstrapURIProfile(records: records) == profile)
        }
    }

    @Test func aMissingResourceIsAsInTheStandardProfile() throws {
        #expect(try BootstrapURIProfile(records: []) == .standard)
        let profile = try BootstrapURIProfile(records: [Self.record(8, .integer(1800))])
        let expected = try BootstrapURIProfile(period: 1800)
        #expect(profile == expected)
    }

    private static let refused: [(records: [ResourceRecord], error: ProfileError)] = [
        ([record(8, .integer(0))], .invalid(.period)), ([record(8, .integer(.min))], .invalid(.period)),
        ([record(8, .string("60"))], .invalid(.period)), ([record(11, .integer(-1))], .invalid(.clockSkew)),
        ([record(13, .integer(1))], .invalid(.fallback)), ([record(1, .string("time+time"))], .invalid(.parameters)),
        ([record(1, .integer(1))], .invalid(.parameters)), ([record(3, .string("md5"))], .invalid(.suite)),
        ([record(12, .unsignedInteger(1))], .counterMismatch), ([record(5, .string("last:2"))], .tooFewBits(6)),
        ([record(17, .integer(1))], .unknownRecord),
        ([record(8, .integer(60)), record(8, .integer(60))], .repeated(.period)),
        ([ResourceRecord(ObjectPath(0, 0, 8), .integer(60))], .unknownRecord),
        ([ResourceRecord(ObjectPath(resourceInstance: object, 0, 8, 0), .integer(60))], .unknownRecord),
        ([ResourceRecord(ObjectPath(object, 0), .integer(60))], .unknownRecord),
        (
            [record(8, .integer(60)), ResourceRecord(ObjectPath(object, 1, 9), .string("floor"))], .unknownRecord
        ),
        ([ResourceRecord](repeating: record(0, .objectLink(object: 0, instance: 0)), count: 18), .tooLong),
    ]

    @Test("Records that make no profile are a typed error", arguments: refused)
    func refuses(_ records: [ResourceRecord], error: ProfileError) {
        #expect(throws: error) { try BootstrapURIProfile(records: records) }
    }

    @Test func hostileRecordsNeverTrap() throws {
        let values: [ResourceValue] = [
            .string(""), .string("first:999"), .string("positions:0+0"), .integer(.min), .integer(.max),
            .unsignedInteger(.max), .float(.nan), .boolean(true), .opaque([0xFF]),
            .time(WallTime(secondsSinceEpoch: .min)),
            .objectLink(object: 65_535, instance: 65_535), .string("none"), .string("label-offset:63"),
        ]
        try SeededRuns.each(1000) { random in
            let records = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                ResourceRecord(
                    ObjectPath(Self.object, 0, UInt16.random(in: 0...18, using: &random)),
                    values[Int.random(in: 0..<values.count, using: &random)]
                )
            }
            guard let profile = try? BootstrapURIProfile(records: records) else { return }
            try #require(try BootstrapURIProfile(records: profile.records()) == profile)
        }
    }
}
