import Primitives
import Testing

@Suite struct RandomSourceTests {
    @Test func aSeedGivesTheSameBytesAlways() {
        var first = RandomSource(seed: 7)
        var second = RandomSource(seed: 7)
        var other = RandomSource(seed: 8)
        for count in [0, 1, 7, 8, 9, 16, 100] {
            let bytes = first.next(count)
            #expect(bytes.count == count)
            #expect(bytes == second.next(count))
            let others = other.next(count)
            #expect(count < 7 || bytes != others)
        }
    }

    @Test func bytesDoNotRepeat() {
        var source = RandomSource(seed: 1)
        let drawn = (0..<1_000).map { _ in source.next(16) }
        #expect(Set(drawn).count == drawn.count)
    }

    @Test func aCopyGoesItsOwnWay() {
        var source = RandomSource(seed: 1)
        var copy = source
        let first = source.next(16)
        #expect(copy.next(16) == first)
        #expect(source.next(16) != first)
    }

    @Test func aFunctionIsAskedForWhatIsNeeded() {
        var source = RandomSource { count in [UInt8](repeating: 0xA5, count: count) }
        #expect(source.next(3) == [0xA5, 0xA5, 0xA5])
        #expect(source.next(0) == [])
    }
}
