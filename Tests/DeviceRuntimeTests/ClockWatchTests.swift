import CoAPTransport
import Primitives
import Testing

@testable import DeviceRuntime

@Suite struct ClockWatchTests {
    static func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime.zero.advanced(by: .seconds(seconds)) }
    static func time(_ seconds: Int64) -> WallTime { WallTime(secondsSinceEpoch: 1_800_000_000 + seconds) }

    @Test func looksOnceASecond() {
        var watch = ClockWatch()
        #expect(watch.isDue(.zero))
        _ = watch.hasJumped(Self.time(0), now: .zero)
        #expect(!watch.isDue(.zero.advanced(by: .milliseconds(999))))
        #expect(watch.isDue(Self.at(1)))
    }

    @Test func seesJumpsLossAndReturn() {
        var watch = ClockWatch()
        let looks: [(now: Int64, time: WallTime?, hasJumped: Bool)] = [
            (0, Self.time(0), false), (1, Self.time(1), false), (2, Self.time(3), false), (3, Self.time(2), false),
            (4, Self.time(3604), true), (5, Self.time(3605), false), (6, Self.time(6), true), (7, nil, true),
            (8, nil, false), (9, Self.time(9), true), (10, WallTime(secondsSinceEpoch: .min), true),
            (11, WallTime(secondsSinceEpoch: .max), true), (12, Self.time(12), true),
        ]
        for look in looks {
            #expect(watch.hasJumped(look.time, now: Self.at(look.now)) == look.hasJumped, "at \(look.now)")
        }
    }

    @Test func theSystemsClockShowsAYearThatCanBe() throws {
        #expect(try #require(SystemClock.time).secondsSinceEpoch > 1_704_067_200)
    }
}
