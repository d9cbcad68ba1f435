import BootstrapEngine
import CoAPMessages
import CoAPTransport
import Primitives
import ServiceSupport
import Testing

@testable import BootstrapServer

@Suite struct BalancerConversationTests {
    fileprivate final class Bench {
        var conversation: BalancerConversation
        var now = MonotonicTime.zero

        init(_ adjust: (inout BalancerLink) -> Void = { _ in }) {
            var link = BalancerLink(
                address: SocketAddress(ipv4: (127, 0, 0, 1), port: 1),
                key: SecretBytes([1]),
                instance: InstanceReport(name: "bs-1", addresses: [])
            )
            adjust(&link)
            self.conversation = BalancerConversation(link: link)
        }

        func outputs(_ body: (inout BalancerConversation, MonotonicTime) -> Void) -> [BalancerConversation.Output] {
            body(&self.conversation, self.now)
            var outputs: [BalancerConversation.Output] = []
            while let output = self.conversation.nextOutput() { outputs.append(output) }
            return outputs
        }

        /// Lets time pass until the next thing is due.
        func wait() -> (passed: Duration, outputs: [BalancerConversation.Output]) {
            guard let deadline = self.conversation.nextDeadline else { return (.zero, []) }
            let passed = self.now.duration(to: deadline)
            self.now = deadline
            return (passed, self.outputs { $0.deadlineReached(now: $1) })
        }

        func answer(_ tag: UInt32, _ response: CoAPResponse) -> [BalancerConversation.Output] {
            self.outputs { $0.take(response, to: tag, now: $1) }
        }

        func tell(_ event: BootstrapNotice.Event, _ number: UInt64 = 1) -> [BalancerConversation.Output] {
            let notice = BootstrapNotice(
                endpoint: "dev1",
                host: "bs1.example.test",
                event: event,
                procedure: "run-1",
                sequence: number
            )
            return self.outputs { $0.tell(notice, now: $1) }
        }

        /// Has the conversation come to where the balancer knows the instance.
        func introduce() {
            _ = self.outputs { $0.start(now: $1) }
            let tag = self.outputs { $0.opened(now: $1) }.announcement ?? 0
            _ = self.answer(tag, Self.interval(10))
        }

        static func interval(_ seconds: Int) -> CoAPResponse {
            CoAPResponse(
                .changed,
                contentFormat: .json,
                payload: InstanceReportAnswer(interval: seconds).encoded()
            )
        }
    }

    @Test func theInstanceAnnouncesItselfAsOftenAsItIsTold() throws {
        let bench = Bench()
        #expect(bench.outputs { $0.start(now: $1) } == [.open])
        let tag = try #require(bench.outputs { $0.opened(now: $1) }.announcement)
        #expect(bench.answer(tag, Bench.interval(7)) == [.report(.known)])
        let (passed, outputs) = bench.wait()
        #expect(passed == .seconds(7))
        let second = try #require(outputs.announcement)
        #expect(bench.answer(second, Bench.interval(3)).isEmpty, "it is known already")
        #expect(bench.wait().passed == .seconds(3))
        #expect(bench.conversation.counters.announcements == 2)
    }

    @Test func noticesGoInBatchesAndAgainUntilTheyAreAcknowledged() throws {
        let bench = Bench()
        bench.introduce()
        let first = try #require(bench.tell(.started, 1).sent)
        #expect(first.request.path == ["notifications"])
        #expect(try BootstrapNotice.decode(first.request.payload).map(\.sequence) == [1])
        #expect(bench.tell(.completed, 2).isEmpty, "one batch is under way")
        let second = try #require(bench.answer(first.tag, CoAPResponse(.changed)).sent)
        #expect(try BootstrapNotice.decode(second.request.payload).map(\.sequence) == [2])
        // The balancer cannot store it now.
        #expect(
            bench.answer(second.tag, CoAPResponse(.internalServerError)) == [.report(.refused(.internalServerError))]
        )
        let (passed, outputs) = bench.wait()
        #expect(passed == .seconds(1))
        let third = try #require(outputs.sent)
        #expect(third.request.payload == second.request.payload)
        #expect(bench.answer(third.tag, CoAPResponse(.changed)).isEmpty)
        #expect(bench.conversation.unacknowledged == 0)
        #expect(bench.conversation.counters.acknowledgedNotices == 2)
        #expect(bench.conversation.counters.repeatedBatches == 1)
    }

    @Test func aBalancerThatIsSilentCostsAConnectionAndNoNotice() throws {
        let bench = Bench()
        bench.introduce()
        let sent = try #require(bench.tell(.started).sent)
        let (passed, outputs) = bench.wait()
        #expect(passed == .seconds(5))
        #expect(outputs == [.close, .report(.lost)])
        // An answer of the old connection means nothing.
        #expect(bench.answer(sent.tag, CoAPResponse(.changed)).isEmpty)
        #expect(bench.conversation.unacknowledged == 1)
        #expect(bench.wait() == (.seconds(1), [.open]))
        let tag = try #require(bench.outputs { $0.opened(now: $1) }.announcement)
        let again = bench.answer(tag, Bench.interval(10))
        #expect(again.contains(.report(.back)))
        #expect(again.sent?.request.payload == sent.request.payload)
    }

    @Test func pausesGrowWhileTheBalancerIsAwayAndAreShortAfterwards() throws {
        let bench = Bench()
        _ = bench.outputs { $0.start(now: $1) }
        var pauses: [Duration] = []
        for _ in 0..<7 {
            _ = bench.outputs { $0.closed(now: $1) }
            pauses.append(bench.wait().passed)
        }
        #expect(pauses == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
        let tag = try #require(bench.outputs { $0.opened(now: $1) }.announcement)
        _ = bench.answer(tag, Bench.interval(10))
        _ = bench.outputs { $0.closed(now: $1) }
        #expect(bench.wait().passed == .seconds(1))
        #expect(bench.conversation.counters.lostConnections == 8)
    }

    @Test func aHandshakeThatNeverEndsIsGivenUp() {
        let bench = Bench()
        _ = bench.outputs { $0.start(now: $1) }
        #expect(bench.wait() == (.seconds(5), [.close, .report(.lost)]))
    }

    @Test(arguments: [CoAPResponse(.forbidden), CoAPResponse(.changed), Bench.interval(0)])
    func aBalancerThatWillNotHaveTheInstanceIsAskedAgainLater(_ response: CoAPResponse) throws {
        let bench = Bench()
        _ = bench.outputs { $0.start(now: $1) }
        let tag = try #require(bench.outputs { $0.opened(now: $1) }.announcement)
        #expect(bench.answer(tag, response) == [.report(.refused(response.code))])
        #expect(bench.tell(.started).isEmpty, "it says nothing to a balancer that does not know it")
        let (passed, outputs) = bench.wait()
        #expect(passed == .seconds(30))
        #expect(outputs.announcement != nil)
    }

    @Test(arguments: [(CoAPCode.content, true), (.notFound, false), (.internalServerError, false)])
    func aPinIsAskedFor(_ code: CoAPCode, _ isPinned: Bool) throws {
        let bench = Bench()
        bench.introduce()
        let procedure = ProcedureID(rawValue: 7)
        let sent = try #require(bench.ask(procedure).sent)
        #expect(sent.request.method == .get)
        #expect(sent.request.path == ["pins"])
        #expect(sent.request.query == ["ep=dev1", "host=bs1.example.test"])
        #expect(bench.answer(sent.tag, CoAPResponse(code)) == [.pinAnswered(procedure, isPinned: isPinned)])
    }

    @Test func questionsWaitForTheConnectionAsLongAsSomebodyWaitsForTheAnswer() throws {
        let bench = Bench()
        _ = bench.outputs { $0.start(now: $1) }
        #expect(bench.ask(ProcedureID(rawValue: 1), within: .seconds(1)).isEmpty)
        #expect(bench.ask(ProcedureID(rawValue: 2), within: .seconds(3)).isEmpty)
        bench.now = bench.now.advanced(by: .seconds(2))
        let tag = try #require(bench.outputs { $0.opened(now: $1) }.announcement)
        let outputs = bench.answer(tag, Bench.interval(10))
        let sent = try #require(outputs.sent)
        #expect(outputs.count == 2, "the first question is no longer asked")
        #expect(
            bench.answer(sent.tag, CoAPResponse(.content)) == [.pinAnswered(ProcedureID(rawValue: 2), isPinned: true)]
        )
    }

    @Test func noMoreThanThirtyTwoQuestionsAreUnderWay() throws {
        let bench = Bench()
        bench.introduce()
        var tags: [UInt32] = []
        for number in 0..<40 as Range<UInt64> {
            if let sent = bench.ask(ProcedureID(rawValue: number)).sent { tags.append(sent.tag) }
        }
        #expect(tags.count == 32)
        #expect(bench.answer(tags[0], CoAPResponse(.content)).sent != nil)
    }

    @Test func theInstanceLeavesWhenTheBalancerKnowsEverything() throws {
        let bench = Bench()
        bench.introduce()
        let notices = try #require(bench.tell(.completed).sent)
        #expect(bench.outputs { $0.leave(now: $1) }.isEmpty, "the notice comes first")
        let farewell = try #require(bench.answer(notices.tag, CoAPResponse(.changed)).sent)
        #expect(farewell.request.method == .delete)
        #expect(farewell.request.path == ["instances"])
        #expect(farewell.request.query == ["name=bs-1"])
        #expect(bench.answer(farewell.tag, CoAPResponse(.deleted)) == [.left])
        #expect(bench.conversation.nextDeadline == nil || bench.wait().outputs.announcement == nil)
    }

    @Test func nobodyWaitsForABalancerThatIsAwayAndMissesNothing() {
        for isClosed in [false, true] {
            let bench = Bench()
            _ = bench.outputs { $0.start(now: $1) }
            if isClosed { _ = bench.outputs { $0.closed(now: $1) } }
            #expect(bench.outputs { $0.leave(now: $1) } == [.left])
        }
    }

    @Test func aBalancerThatIsAwayAndMissesNoticesIsWaitedFor() throws {
        let bench = Bench()
        _ = bench.outputs { $0.start(now: $1) }
        _ = bench.outputs { $0.closed(now: $1) }
        _ = bench.tell(.completed)
        #expect(bench.outputs { $0.leave(now: $1) }.isEmpty)
        #expect(bench.wait().outputs == [.open])
        let notices = try #require(bench.outputs { $0.opened(now: $1) }.sent)
        let farewell = try #require(bench.answer(notices.tag, CoAPResponse(.changed)).sent)
        #expect(farewell.request.method == .delete)
    }
}

extension BalancerConversationTests.Bench {
    fileprivate func ask(_ procedure: ProcedureID, within: Duration = .seconds(3)) -> [BalancerConversation.Output] {
        self.outputs {
            $0.ask(procedure, endpoint: "dev1", host: "bs1.example.test", until: $1.advanced(by: within), now: $1)
        }
    }
}

extension [BalancerConversation.Output] {
    fileprivate var announcement: UInt32? {
        for case .announce(let tag) in self { return tag }
        return nil
    }

    fileprivate var sent: (tag: UInt32, request: CoAPRequest)? {
        for case .send(let tag, let request) in self { return (tag, request) }
        return nil
    }
}
