import CommandSessions
import Primitives
import Testing

@Suite struct IdentifierCacheTests {
    @Test func aNewValueStandsBesideTheOneBefore() throws {
        let (five, two) = (try identifier("5"), try identifier("2"))
        var cache = IdentifierCache()
        #expect(cache.newest == nil)
        cache.offer(five)
        #expect(cache == IdentifierCache(established: nil, provisional: five))
        cache.establish()
        #expect(cache == IdentifierCache(established: five))
        cache.offer(two)
        #expect(cache == IdentifierCache(established: five, provisional: two))
        #expect(cache.newest == two)
        #expect(cache.contains(five))
        #expect(cache.contains(two))
        cache.establish()
        #expect(cache == IdentifierCache(established: two))
        #expect(!cache.contains(five), "the one before is forgotten")
    }

    @Test func aValueThatNobodyGaveBackGoes() throws {
        let (five, two, three) = (try identifier("5"), try identifier("2"), try identifier("3"))
        var cache = IdentifierCache(established: five, provisional: two)
        cache.offer(three)
        #expect(cache == IdentifierCache(established: five, provisional: three))
        #expect(!cache.contains(two))
    }

    @Test func withoutANewValueNothingIsEstablished() throws {
        let before = try cache(established: "5")
        var cache = before
        cache.establish()
        #expect(cache == before)
    }

    @Test func neverHoldsMoreThanTwo() throws {
        var random = SeededGenerator(seed: 1)
        var source = RandomSource(seed: 1)
        var cache = IdentifierCache()
        var all: [SessionIdentifier] = []
        for _ in 0..<1_000 {
            if random.chance(0.3) {
                cache.establish()
            } else {
                let identifier = try #require(SessionIdentifier(from: &source))
                all.append(identifier)
                cache.offer(identifier)
            }
            #expect(all.suffix(20).filter { cache.contains($0) }.count <= 2)
        }
        #expect(all.filter { cache.contains($0) }.count <= 2)
    }
}
