import FleetEngine
import Primitives
import Testing

@Suite struct ArrivalScheduleTests {
    private static let due: [(schedule: ArrivalSchedule, elapsed: Duration, starts: Int)] = [
        (ArrivalSchedule(rate: 500), .zero, 1),
        (ArrivalSchedule(rate: 500), .milliseconds(-1), 0),
        (ArrivalSchedule(rate: 500), .microseconds(1_999), 1),
        (ArrivalSchedule(rate: 500), .milliseconds(2), 2),
        (ArrivalSchedule(rate: 500), .seconds(1), 501),
        (ArrivalSchedule(rate: 500), .seconds(36_000), 18_000_001),
        (ArrivalSchedule(rate: 0.5), .milliseconds(1_999), 1),
        (ArrivalSchedule(rate: 0.5), .seconds(2), 2),
        // From 0 to 100/s in 10 s: t²·5 starts, then 100 a second.
        (ArrivalSchedule(from: 0, to: 100, over: .seconds(10)), .seconds(2), 21),
        (ArrivalSchedule(from: 0, to: 100, over: .seconds(10)), .seconds(10), 501),
        (ArrivalSchedule(from: 0, to: 100, over: .seconds(10)), .seconds(12), 701),
        // Downwards: 100/s to 50/s in 4 s is 300, then 50 a second.
        (ArrivalSchedule(from: 100, to: 50, over: .seconds(4)), .seconds(4), 301),
        (ArrivalSchedule(from: 100, to: 50, over: .seconds(4)), .seconds(6), 401),
    ]

    @Test(arguments: due)
    func countsStartsDue(_ schedule: ArrivalSchedule, elapsed: Duration, starts: Int) {
        #expect(schedule.startsDue(after: elapsed) == starts)
    }

    private static let intended: [(schedule: ArrivalSchedule, number: Int, time: Duration)] = [
        (ArrivalSchedule(rate: 500), 0, .zero),
        (ArrivalSchedule(rate: 500), -3, .zero),
        (ArrivalSchedule(rate: 500), 1, .milliseconds(2)),
        (ArrivalSchedule(rate: 500), 18_999, .milliseconds(37_998)),
        (ArrivalSchedule(from: 0, to: 100, over: .seconds(10)), 5, .seconds(1)),
        (ArrivalSchedule(from: 0, to: 100, over: .seconds(10)), 600, .seconds(11)),
        (ArrivalSchedule(from: 100, to: 50, over: .seconds(4)), 400, .seconds(6)),
    ]

    @Test(arguments: intended)
    func placesEachStart(_ schedule: ArrivalSchedule, number: Int, time: Duration) {
        #expect(schedule.intendedStart(of: number) == time)
    }

    @Test(arguments: [
        ArrivalSchedule(rate: 3), ArrivalSchedule(rate: 1_000_000), ArrivalSchedule(rate: 0.001),
        ArrivalSchedule(from: 0, to: 7, over: .seconds(13)), ArrivalSchedule(from: 90, to: 0.5, over: .seconds(60)),
    ])
    func bothDirectionsAgreeAndNeverGoBack(_ schedule: ArrivalSchedule) {
        var before = Duration.zero
        for number in 0..<5_000 {
            let time = schedule.intendedStart(of: number)
            #expect(time >= before)
            #expect(schedule.startsDue(after: time) > number)
            if time > .zero { #expect(schedule.startsDue(after: time - .nanoseconds(1)) <= number) }
            before = time
        }
    }

    @Test(arguments: [-1, 0, Double.nan, .infinity, 1e300])
    func limitsSenselessRates(_ rate: Double) {
        let schedule = ArrivalSchedule(rate: rate)
        #expect(ArrivalSchedule.rates.contains(schedule.finalRate))
        #expect(schedule.startsDue(after: .seconds(1)) >= 1)
    }
}
