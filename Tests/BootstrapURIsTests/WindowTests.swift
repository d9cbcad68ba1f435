import BootstrapURIs
import Primitives
import TestSupport
import Testing

@Suite struct WindowTests {
    private static func profile(_ text: UTF8Text) throws -> BootstrapURIProfile {
        try BootstrapURIProfile(parsing: text)
    }

    private static let rounded: [(profile: UTF8Text, time: Int64, stamp: Int64)] = [
        ("period=3600", 0, 0), ("period=3600", 1799, 0), ("period=3600", 1800, 3600), ("period=3600", 5399, 3600),
        ("period=3600", -1800, 0), ("period=3600", -1801, -3600),
        ("period=1800", 899, 0), ("period=1800", 900, 1800),
        // An odd period has no middle.
        ("period=7", 3, 0), ("period=7", 4, 7), ("period=7", -3, 0), ("period=7", -4, -7),
        ("period=1", 5, 5),
        ("period=3600,rounding=floor", 3599, 0), ("period=3600,rounding=floor", 3600, 3600),
        ("period=3600,rounding=floor", -1, -3600), ("period=3600,rounding=floor", -3600, -3600),
    ]

    @Test("A time goes to the closest full period, ties up, or to the one before", arguments: rounded)
    func roundsATime(_ text: UTF8Text, time: Int64, stamp: Int64) throws {
        let window = try Self.profile(text).window(at: WallTime(secondsSinceEpoch: time))
        #expect(window == TimeWindow(stamp: stamp))
    }

    @Test func windowsMeetWithoutGapOrOverlap() throws {
        try SeededRuns.each(300) { random in
            let period = Int64.random(in: 1...100_000, using: &random)
            let rounding = Bool.random(using: &random) ? "closest" : "floor"
            let profile = try Self.profile(UTF8Text("period=\(period),rounding=\(rounding)"))
            let time = WallTime(secondsSinceEpoch: .random(in: -1_000_000_000...4_000_000_000, using: &random))
            let window = profile.window(at: time)
            let (start, end) = (profile.start(of: window), profile.end(of: window))
            try #require(start <= time && time < end)
            try #require(end.secondsSinceEpoch - start.secondsSinceEpoch == period)
            try #require(profile.window(at: start) == window)
            try #require(profile.window(at: end) == profile.next(window))
            try #require(profile.previous(profile.next(window)) == window)
            try #require(window.stamp % period == 0)
        }
    }

    @Test func theNeighboursComeWhenTheBorderIsWithinTheSkew() throws {
        let profile = try Self.profile("period=3600,rounding=floor,clock-skew=60")
        func stamps(_ time: Int64) -> [Int64] {
            profile.windows(around: WallTime(secondsSinceEpoch: time)).map(\.stamp)
        }
        #expect(stamps(3600) == [3600, 0])
        #expect(stamps(3659) == [3600, 0])
        #expect(stamps(3660) == [3600])
        #expect(stamps(7139) == [3600])
        #expect(stamps(7140) == [3600, 7200])
        #expect(stamps(7199) == [3600, 7200])
    }

    @Test func ofTwoNeighboursTheNearerOneComesFirst() throws {
        let profile = try Self.profile("period=100,rounding=floor,clock-skew=100")
        #expect(profile.windows(around: WallTime(secondsSinceEpoch: 110)).map(\.stamp) == [100, 0, 200])
        #expect(profile.windows(around: WallTime(secondsSinceEpoch: 190)).map(\.stamp) == [100, 200, 0])
    }

    @Test func aSkewOfNothingGivesOneWindowAndALargeOneThree() throws {
        let exact = try Self.profile("period=10,clock-skew=0")
        let loose = try Self.profile("period=10,clock-skew=86400")
        for time in Int64(0)..<20 {
            #expect(exact.windows(around: WallTime(secondsSinceEpoch: time)).count == 1)
            #expect(loose.windows(around: WallTime(secondsSinceEpoch: time)).count == 3)
        }
    }

    @Test("Whoever is right within the skew is in one of the windows") func theSkewIsCovered() throws {
        try SeededRuns.each(300) { random in
            let period = Int64.random(in: 1...1000, using: &random)
            let skew = Int64.random(in: 0...period, using: &random)
            let profile = try Self.profile(UTF8Text("period=\(period),clock-skew=\(skew)"))
            let time = Int64.random(in: 0...1_000_000, using: &random)
            let other = time + Int64.random(in: -skew...skew, using: &random)
            let windows = profile.windows(around: WallTime(secondsSinceEpoch: time))
            try #require(windows.contains(profile.window(at: WallTime(secondsSinceEpoch: other))))
        }
    }

    @Test func withoutATimeStampThereIsOneWindow() throws {
        let profile = try Self.profile("parameters=endpoint")
        let window = profile.window(at: WallTime(secondsSinceEpoch: 0))
        for time in [Int64.min, -1, 1_700_000_000, .max] {
            let time = WallTime(secondsSinceEpoch: time)
            #expect(profile.window(at: time) == window)
            #expect(profile.windows(around: time) == [window])
        }
        #expect(profile.next(window) == window)
        #expect(profile.previous(window) == window)
        #expect(profile.start(of: window).secondsSinceEpoch < -100_000_000_000)
        #expect(profile.end(of: window).secondsSinceEpoch > 100_000_000_000)
    }

    @Test(arguments: [Int64.min, .min + 1, -1, 0, 1, .max - 1, .max], ["period=1", "period=7", "period=315360000"])
    func noTimeOverflows(_ seconds: Int64, profile: String) throws {
        for rounding in ["closest", "floor"] {
            let profile = try Self.profile(UTF8Text("\(profile),rounding=\(rounding)"))
            let time = WallTime(secondsSinceEpoch: seconds)
            let window = TimeWindow(stamp: seconds)
            _ = profile.windows(around: time)
            #expect(profile.start(of: window) < profile.end(of: window))
            #expect(profile.previous(window) < profile.next(window))
        }
    }
}
