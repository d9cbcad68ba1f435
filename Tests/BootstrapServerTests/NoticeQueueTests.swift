import Primitives
import ServiceSupport
import Testing

@testable import BootstrapServer

@Suite struct NoticeQueueTests {
    private func notice(_ procedure: Int, _ event: BootstrapNotice.Event) -> BootstrapNotice {
        BootstrapNotice(
            endpoint: UTF8Text("dev\(procedure)"),
            host: "bs1.example.test",
            event: event,
            procedure: UTF8Text("run-\(procedure)"),
            sequence: UInt64(procedure)
        )
    }

    @Test func noticesGoInTheirOrderAndStayUntilTheyAreAcknowledged() {
        var queue = NoticeQueue(capacity: 10)
        for number in 1...3 { queue.append(self.notice(number, .started)) }
        #expect(queue.nextBatch().map(\.sequence) == [1, 2, 3])
        #expect(queue.nextBatch().isEmpty, "one batch at a time")
        queue.append(self.notice(1, .completed))
        #expect(queue.count == 4)
        queue.giveBack()
        #expect(queue.nextBatch().map(\.event) == [.started, .started, .started, .completed])
        #expect(queue.acknowledge() == 4)
        #expect(queue.count == 0)
        #expect(queue.nextBatch().isEmpty)
    }

    @Test func aBatchHasAsManyNoticesAsAMessageTakes() {
        var queue = NoticeQueue(capacity: 1000)
        for number in 1...250 { queue.append(self.notice(number, .started)) }
        var sizes: [Int] = []
        while queue.count > 0 {
            sizes.append(queue.nextBatch().count)
            _ = queue.acknowledge()
        }
        #expect(sizes == [100, 100, 50])
    }

    @Test func whenThereIsNoRoomTheEndStandsForBeginningAndEnd() {
        var queue = NoticeQueue(capacity: 4)
        queue.append(self.notice(1, .started))
        queue.append(self.notice(2, .started))
        queue.append(self.notice(2, .failed))
        queue.append(self.notice(1, .completed))
        #expect(queue.merged == 0)
        queue.append(self.notice(3, .started))
        #expect(queue.nextBatch().map(\.sequence) == [1, 2, 1, 3], "the oldest end took the place of its beginning")
        #expect(queue.merged == 1)
        #expect(queue.dropped == 0)
    }

    @Test func onlyWhenNothingCanBeMergedTheOldestIsGivenUpAndCounted() {
        var queue = NoticeQueue(capacity: 3)
        for number in 1...5 { queue.append(self.notice(number, .started)) }
        #expect(queue.dropped == 2)
        #expect(queue.count == 3)
        #expect(queue.nextBatch().map(\.sequence) == [3, 4, 5])
    }

    @Test func whatIsUnderWayIsNeitherMergedNorGivenUp() {
        var queue = NoticeQueue(capacity: 2)
        queue.append(self.notice(1, .started))
        #expect(queue.nextBatch().count == 1)
        queue.append(self.notice(1, .completed))
        queue.append(self.notice(2, .started))
        #expect(queue.dropped == 1)
        queue.giveBack()
        #expect(queue.nextBatch().map(\.event) == [.started, .started])
    }

    @Test func noticesWithoutABalancerTakeNoMoreRoomThanAllowed() {
        var queue = NoticeQueue(capacity: 1000)
        for number in 0..<20_000 {
            queue.append(self.notice(number, .started))
            queue.append(self.notice(number, .completed))
        }
        #expect(queue.count <= 1000)
        #expect(queue.merged + queue.dropped + UInt64(queue.count) == 40_000)
    }
}
