import Primitives
import TestSupport
import Testing

@Suite struct DeadlineHeapTests {
    private static func time(_ nanoseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }

    @Test func popsKeysInTheOrderOfTheirDeadlines() {
        var heap = DeadlineHeap<String>()
        heap.set(Self.time(30), for: "late")
        heap.set(Self.time(10), for: "early")
        heap.set(Self.time(20), for: "middle")
        #expect(heap.earliest() == Self.time(10))
        #expect(heap.popReached(now: Self.time(9)) == nil)
        #expect(heap.popReached(now: Self.time(30)) == "early")
        #expect(heap.popReached(now: Self.time(30)) == "middle")
        #expect(heap.popReached(now: Self.time(30)) == "late")
        #expect(heap.popReached(now: Self.time(30)) == nil)
        #expect(heap.earliest() == nil)
    }

    @Test func movingAKeyForgetsItsOldDeadline() {
        var heap = DeadlineHeap<Int>()
        heap.set(Self.time(10), for: 1)
        heap.set(Self.time(40), for: 1)
        #expect(heap.earliest() == Self.time(40))
        #expect(heap.popReached(now: Self.time(39)) == nil)
        #expect(heap.count == 1)
        heap.set(Self.time(10), for: 1)
        #expect(heap.popReached(now: Self.time(10)) == 1)
        #expect(heap.popReached(now: Self.time(50)) == nil)
    }

    @Test func removingAKeyForgetsIt() {
        var heap = DeadlineHeap<Int>()
        heap.set(Self.time(10), for: 1)
        heap.set(nil, for: 1)
        #expect(heap.earliest() == nil)
        #expect(heap.count == 0)
        heap.set(Self.time(10), for: 1)
        #expect(heap.popReached(now: Self.time(10)) == 1)
    }

    @Test func agreesWithADictionaryOverManyChanges() throws {
        try SeededRuns.each(60) { generator in
            var heap = DeadlineHeap<UInt8>()
            var model: [UInt8: Int64] = [:]
            for _ in 0..<800 {
                let key = UInt8.random(in: 0..<50, using: &generator)
                let deadline = Int64.random(in: 0..<40, using: &generator)
                switch UInt8.random(in: 0..<8, using: &generator) {
                case 0:
                    heap.set(nil, for: key)
                    model[key] = nil
                case 1, 2:
                    let popped = heap.popReached(now: Self.time(deadline))
                    let least = model.values.min()
                    guard let popped else {
                        try #require(least.map { $0 > deadline } ?? true)
                        continue
                    }
                    try #require(model[popped] == least)
                    try #require(model[popped].map { $0 <= deadline } == true)
                    model[popped] = nil
                default:
                    heap.set(Self.time(deadline), for: key)
                    model[key] = deadline
                }
                try #require(heap.count == model.count)
                try #require(heap.earliest() == model.values.min().map(Self.time))
            }
        }
    }
}
