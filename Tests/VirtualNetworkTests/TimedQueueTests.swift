import Primitives
import TestSupport
import Testing

@testable import VirtualNetwork

@Suite struct TimedQueueTests {
    @Test func whatHappensAtOneTimeKeepsItsOrder() {
        var queue = TimedQueue<Int>()
        for number in 0..<5 { queue.add(number, at: MonotonicTime(nanoseconds: 7)) }
        #expect(queue.popReached(now: MonotonicTime(nanoseconds: 6)) == nil)
        #expect((0..<5).map { _ in queue.popReached(now: MonotonicTime(nanoseconds: 7)) } == [0, 1, 2, 3, 4])
        #expect(queue.earliest == nil)
    }

    @Test func whatIsAddedForThePastHappensNow() {
        var queue = TimedQueue<Int>()
        queue.add(1, at: MonotonicTime(nanoseconds: 100))
        #expect(queue.popReached(now: MonotonicTime(nanoseconds: 100)) == 1)
        queue.add(2, at: MonotonicTime(nanoseconds: 50))
        #expect(queue.earliest == MonotonicTime(nanoseconds: 100))
        #expect(queue.popReached(now: MonotonicTime(nanoseconds: 100)) == 2)
    }

    @Test func itIsASortedListWhateverIsAddedMeanwhile() throws {
        try SeededRuns.each(20) { generator in
            var queue = TimedQueue<Int>()
            var list: [(time: Int64, number: Int)] = []
            var now: Int64 = 0
            for number in 0..<2_000 {
                let bits = generator.next() % 40
                let time = now + Int64(generator.next() & ((1 << bits) - 1))
                queue.add(number, at: MonotonicTime(nanoseconds: time))
                list.insert((time, number), at: list.firstIndex { $0.time > time } ?? list.count)
                guard generator.next() % 3 != 0 else { continue }
                try #require(queue.earliest == list.first.map { MonotonicTime(nanoseconds: $0.time) })
                let head = list.removeFirst()
                now = head.time
                try #require(queue.popReached(now: MonotonicTime(nanoseconds: now)) == head.number)
            }
            for head in list {
                try #require(queue.popReached(now: MonotonicTime(nanoseconds: head.time)) == head.number)
            }
            try #require(queue.earliest == nil)
        }
    }
}
