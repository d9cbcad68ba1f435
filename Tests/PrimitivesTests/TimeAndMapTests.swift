import Primitives
import TestSupport
import Testing

@Suite struct MonotonicTimeTests {
    private static let last = MonotonicTime(nanoseconds: .max)
    private static let first = MonotonicTime(nanoseconds: .min)

    @Test func movesByDurations() {
        let time = MonotonicTime.zero.advanced(by: .seconds(90))
        #expect(time.nanoseconds == 90_000_000_000)
        #expect(time.advanced(by: .milliseconds(-1)).nanoseconds == 89_999_000_000)
        #expect(MonotonicTime.zero.duration(to: time) == .seconds(90))
        #expect(time.duration(to: .zero) == .seconds(-90))
        #expect(MonotonicTime.zero < time)
    }

    @Test func saturatesAtTheEndsOfTheClock() {
        #expect(Self.last.advanced(by: .nanoseconds(1)) == Self.last)
        #expect(Self.first.advanced(by: .nanoseconds(-1)) == Self.first)
        #expect(MonotonicTime.zero.advanced(by: .seconds(Int64.max)) == Self.last)
        #expect(MonotonicTime.zero.advanced(by: .seconds(Int64.min)) == Self.first)
        #expect(Self.last.advanced(by: .seconds(Int64.min)).nanoseconds == -1)
        #expect(Self.first.duration(to: Self.last) == .nanoseconds(Int64.max))
        #expect(Self.last.duration(to: Self.first) == .nanoseconds(Int64.min))
    }

    private static let durations: [(Duration, Int64)] = [
        (.zero, 0), (.nanoseconds(-1), -1), (.seconds(1) + .nanoseconds(1), 1_000_000_001),
        (.seconds(Int64.max), .max), (.seconds(Int64.min), .min), (.nanoseconds(Int64.max), .max),
        (.nanoseconds(Int64.min), .min), (.nanoseconds(Int64.max) + .seconds(1), .max),
        (.nanoseconds(Int64.min) - .seconds(1), .min),
        (Duration(secondsComponent: 0, attosecondsComponent: 999_999_999), 0),
        (Duration(secondsComponent: 0, attosecondsComponent: -999_999_999), 0),
    ]

    @Test(arguments: durations)
    func durationsBecomeNanoseconds(_ duration: Duration, nanoseconds: Int64) {
        #expect(duration.nanoseconds == nanoseconds)
    }
}

@Suite struct BoundedMapTests {
    @Test func aFullMapRefusesNewKeysAndKeepsTheOld() {
        var map = BoundedMap<Int, String>(capacity: 2)
        #expect(map.set("a", for: 1) == true)
        #expect(!map.isFull)
        #expect(map.set("b", for: 2) == true)
        #expect(map.isFull)
        #expect(map.set("c", for: 3) == false)
        #expect(map.all == [1: "a", 2: "b"])
        #expect(map.set("A", for: 1) == true)
        #expect(map[1] == "A" && map[3] == nil && map.count == 2)
        #expect(map.remove(2) == "b")
        #expect(map.remove(2) == nil)
        #expect(map.set("c", for: 3) == true)
        #expect(map.all == [1: "A", 3: "c"])
    }
}

@Suite struct SeededGeneratorTests {
    @Test("SplitMix64: the first numbers of its reference implementation")
    func givesTheSameNumbersEverywhere() {
        var generator = SeededGenerator(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        let numbers = expected.map { _ in generator.next() }
        #expect(numbers == expected)
    }

    @Test func theUnitIntervalExcludesOne() {
        var generator = SeededGenerator(seed: 0)
        let numbers = (0..<1000).map { _ in generator.nextUnitInterval() }
        #expect(numbers.allSatisfy { (0..<1).contains($0) })
        #expect(numbers.contains { $0 < 0.1 } && numbers.contains { $0 > 0.9 })
    }
}
