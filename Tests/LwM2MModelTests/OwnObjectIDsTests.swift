import LwM2MModel
import Testing

@Suite struct OwnObjectIDsTests {
    @Test("OMA keeps 42769 to 42800 for tests") func theStandardBlockIsTheOneForTests() {
        #expect(OwnObjectIDs.standard.bootstrapURIProfile == 42_769)
        #expect(OwnObjectIDs.standard.commandSession == 42_770)
    }

    @Test("A block lies within 32769 to 42800", arguments: [32_769, 40_000, 42_799] as [UInt16])
    func aBlockMayBeMoved(_ first: UInt16) throws {
        let ids = try #require(OwnObjectIDs(first: first))
        #expect(ids.bootstrapURIProfile == first)
        #expect(ids.commandSession == first + 1)
    }

    @Test(arguments: [0, 3, 32_768, 42_800, 65_535] as [UInt16])
    func noBlockLiesOutside(_ first: UInt16) {
        #expect(OwnObjectIDs(first: first) == nil)
    }
}
