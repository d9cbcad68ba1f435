import BootstrapEngine
import CoAPMessages
import LwM2MModel
import Primitives
import Testing

@Suite("Hosts that a balancer keeps for a device") struct PinTests {
    private func bench(_ adjust: (inout HostRule) -> Void = { _ in }) throws -> HostBench {
        try HostBench({
            $0.asksForPins = true
            adjust(&$0)
        })
    }

    @Test func aNameThatIsNotOfNowIsAskedAboutBeforeTheDeviceIsAnswered() throws {
        let bench = try self.bench()
        let host = try bench.host(hours: -3)
        let outputs = bench.ask(host)
        #expect(outputs.code == nil)
        let question = try #require(outputs.question)
        #expect(outputs.contains(.askPin(question, endpoint: "dev1", host: host)))
        let answer = bench.tell(.pinAnswered(question, isPinned: true))
        #expect(answer.code == .changed)
        #expect(answer.progress == [.started])
        #expect(bench.engine.counters.pinnedHosts == 1)
    }

    @Test(arguments: [(Int64(-3), BootstrapRefusal.expiredHost), (7, .unknownHost)])
    func aNameThatNobodyKeepsIsForbidden(_ hours: Int64, _ refusal: BootstrapRefusal) throws {
        let bench = try self.bench()
        let question = try #require(bench.ask(try bench.host(hours: hours)).question)
        let outputs = bench.tell(.pinAnswered(question, isPinned: false))
        #expect(outputs.code == .forbidden)
        #expect(outputs.refusal == refusal)
        #expect(bench.engine.procedureCount == 0)
    }

    @Test func theNameOfNowIsNotAskedAbout() throws {
        let bench = try self.bench()
        #expect(bench.ask(try bench.host()).question == nil)
    }

    @Test func aQuestionWithoutAnAnswerEndsInTime() throws {
        let bench = try self.bench()
        let question = try #require(bench.ask(try bench.host(hours: -1)).question)
        #expect(bench.engine.nextDeadline == bench.now.advanced(by: .seconds(3)))
        bench.pass(.seconds(3))
        #expect(bench.tell(.deadlineReached).refusal == .expiredHost)
        #expect(bench.engine.counters.unansweredPins == 1)
        // An answer that comes too late finds nothing.
        #expect(bench.tell(.pinAnswered(question, isPinned: true)).isEmpty)
    }

    @Test func questionsAtOnceAreBounded() throws {
        let bench = try self.bench { $0.maximumQuestions = 1 }
        bench.open(2, as: "dev2")
        let first = try #require(bench.ask("x.example.test").question)
        #expect(bench.ask("y.example.test", endpoint: "dev2", on: 2).refusal == .unknownHost)
        _ = bench.tell(.pinAnswered(first, isPinned: false))
        #expect(bench.ask("y.example.test", endpoint: "dev2", on: 2).question != nil)
    }

    @Test func everyWayOutOfAQuestionMakesRoomForTheNext() throws {
        let bench = try self.bench { $0.maximumQuestions = 1 }
        for round in 0..<4 {
            let question = try #require(bench.ask("x.example.test").question, "round \(round)")
            switch round {
            case 0: _ = bench.tell(.pinAnswered(question, isPinned: true))
            case 1:
                _ = bench.tell(.network(.sessionClosed(SessionID(rawValue: 1))))
                bench.open(1, as: "dev1")
            case 2:
                bench.pass(.seconds(3))
                _ = bench.tell(.deadlineReached)
            default: _ = bench.tell(.pinAnswered(question, isPinned: false))
            }
            // The device that was served under the name asks anew, and not under a name that is known here.
            if round == 0 { _ = bench.ask(try bench.host()) }
        }
        #expect(bench.engine.counters.unansweredPins == 1)
    }

    @Test func aDeviceThatAsksAnewUnderTheNameItIsServedUnderIsNotAskedAbout() throws {
        let bench = try self.bench()
        let host = try bench.host()
        _ = bench.ask(host)
        bench.pass(.seconds(7200))
        let outputs = bench.ask(host)
        #expect(outputs.question == nil)
        #expect(outputs.progress == [.failed, .started])
        #expect(bench.engine.counters.pinnedHosts == 1)
    }

    @Test func answersOutOfTurnDoNothing() throws {
        let bench = try self.bench()
        let question = try #require(bench.ask("x.example.test").question)
        #expect(bench.tell(.planChosen(question, HostBench.plan)).isEmpty)
        #expect(bench.tell(.secretFound(question, bench.secrets["dev1"])).isEmpty)
        #expect(bench.tell(.pinAnswered(ProcedureID(rawValue: 77), isPinned: true)).isEmpty)
        #expect(bench.tell(.pinAnswered(question, isPinned: true)).code == .changed)
        #expect(bench.tell(.pinAnswered(question, isPinned: false)).isEmpty)
    }
}

@Suite("The end of a bootstrap server") struct DrainTests {
    @Test func whoeverComesIsSentElsewhereAndWhatIsInProgressEndsWell() throws {
        let bench = try HostBench()
        bench.open(2, as: "dev2")
        var outputs = bench.ask(try bench.host())
        _ = bench.tell(.drainRequested)
        let refused = bench.ask(try bench.host(of: "dev2"), endpoint: "dev2", on: 2)
        #expect(refused.code == .serviceUnavailable)
        #expect(refused.response?.options.unsigned(.maxAge) == 10)
        #expect(bench.engine.counters.drained == 1)
        var progress: [BootstrapProgress] = []
        while let request = outputs.requestID {
            outputs = bench.tell(.network(.responseReceived(request, CoAPResponse(.changed))))
            progress += outputs.progress
        }
        #expect(progress == [.completed])
        #expect(bench.engine.procedureCount == 0)
    }

    @Test func aBootstrapThatFailsIsToldOnce() throws {
        let bench = try HostBench()
        let outputs = bench.ask(try bench.host())
        let request = try #require(outputs.requestID)
        #expect(bench.tell(.network(.requestFailed(request, .timedOut))).progress == [.failed])
        #expect(bench.tell(.network(.sessionClosed(SessionID(rawValue: 1)))).progress.isEmpty)
    }

    @Test func theRuleOfIdentitiesMayChange() throws {
        let bench = try HostBench()
        #expect(bench.ask(try bench.host(of: "dev2"), endpoint: "dev2").refusal == .identityMismatch)
        _ = bench.tell(.endpointRuleChanged(EndpointRule(endpoints: [Array("dev1".utf8): "dev2"])))
        #expect(bench.ask(try bench.host(of: "dev2"), endpoint: "dev2").code == .changed)
    }
}

extension [BootstrapOutput] {
    fileprivate var requestID: RequestID? {
        for case .sendRequest(let id, _, _) in self { return id }
        return nil
    }
}
