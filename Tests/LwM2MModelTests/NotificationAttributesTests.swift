import LwM2MModel
import Primitives
import Testing

@Suite("Core 1.2.2 clause 7.3.2: notification attributes") struct NotificationAttributesTests {
    @Test func queriesSetAndRemove() throws {
        var attributes = NotificationAttributes()
        try attributes.apply(queries: ["pmin=10", "pmax=60", "gt=25.5", "lt=-3", "st=0.5"])
        #expect(attributes.minimumPeriod == 10)
        #expect(attributes.maximumPeriod == 60)
        #expect(attributes.greaterThan == 25.5)
        #expect(attributes.lessThan == -3)
        #expect(attributes.step == 0.5)
        #expect(attributes.queries == ["pmin=10", "pmax=60", "gt=25.5", "lt=-3.0", "st=0.5"])
        try attributes.apply(queries: ["pmin", "gt"])
        #expect(attributes.minimumPeriod == nil)
        #expect(attributes.greaterThan == nil)
        #expect(attributes.maximumPeriod == 60)
        try attributes.apply(queries: ["pmax", "lt", "st"])
        #expect(attributes.isEmpty)
        #expect(attributes.queries.isEmpty)
    }

    private static let refused: [(UTF8Text, NotificationAttributes.ParseError)] = [
        ("pmin=-1", .invalidValue(1)),
        ("pmin=", .invalidValue(1)),
        ("pmin=1.5", .invalidValue(1)),
        ("pmax=4294967296", .invalidValue(1)),
        ("gt=warm", .invalidValue(1)),
        ("gt=inf", .invalidValue(1)),
        ("lt=1e999", .invalidValue(1)),
        ("st=0x1", .invalidValue(1)),
        ("PMIN=1", .unknown(1)),
        ("", .unknown(1)),
        ("=1", .unknown(1)),
    ]

    @Test(arguments: refused)
    func refusesAndChangesNothing(_ query: UTF8Text, error: NotificationAttributes.ParseError) {
        var attributes = NotificationAttributes()
        attributes.maximumPeriod = 5
        let before = attributes
        #expect(throws: error) { try attributes.apply(queries: ["pmin=3", query]) }
        #expect(attributes == before)
    }

    private static let consistency: [([UTF8Text], Bool)] = [
        ([], true),
        (["pmin=5", "pmax=5"], true),
        (["pmin=6", "pmax=5"], false),
        (["lt=1", "gt=2"], true),
        (["lt=2", "gt=2"], false),
        (["lt=3", "gt=2"], false),
        (["st=0"], false),
        (["st=-1"], false),
        (["st=0.1"], true),
        (["lt=1", "gt=2", "st=0.4"], true),
        (["lt=1", "gt=2", "st=0.5"], false),
        (["lt=1", "st=5"], true),
    ]

    @Test(arguments: consistency)
    func knowsWhatCannotHoldTogether(_ queries: [UTF8Text], isConsistent: Bool) throws {
        var attributes = NotificationAttributes()
        try attributes.apply(queries: queries)
        #expect(attributes.isConsistent == isConsistent)
    }
}
