import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import ManagementEngine
import Primitives
import Testing

@Suite struct BoundsTests {
    @Test func theTableOfRegistrationsIsBounded() {
        let bench = Bench { $0.maximumRegistrations = 2 }
        for index in 1...3 as ClosedRange<UInt32> {
            bench.open(index, as: "dev\(index)")
            let code = bench.answer(Bench.register([UTF8Text("ep=dev\(index)")]), on: index)?.code
            #expect(code == (index <= 2 ? .created : .serviceUnavailable))
        }
        // One that is there may come again, and one that leaves makes room.
        #expect(bench.answer(Bench.register(["ep=dev1"]), on: 1)?.code == .created)
        _ = bench.wait(.seconds(90_000))
        #expect(bench.answer(Bench.register(["ep=dev3"]), on: 3)?.code == .created)
        #expect(bench.engine.counters.refusedByBounds == 1)
    }

    @Test func oneSessionRegistersABoundedNumberOfNames() {
        let bench = Bench { $0.maximumRegistrationsPerSession = 3 }
        bench.open(1, as: nil)
        for index in 0..<3 { #expect(bench.answer(Bench.register([UTF8Text("ep=n\(index)")]))?.code == .created) }
        #expect(bench.answer(Bench.register(["ep=n3"]))?.code == .serviceUnavailable)
        #expect(bench.answer(Bench.register(["ep=n0"]))?.code == .created)
    }

    @Test func objectListsAreBounded() {
        let bench = Bench {
            $0.maximumObjectListLength = 20
            $0.maximumObjects = 2
        }
        bench.open()
        #expect(bench.answer(Bench.register(objects: "</1/0>,</3/0>"))?.code == .created)
        #expect(bench.answer(Bench.register(objects: "</1>,</3>,</4>"))?.code == .requestEntityTooLarge)
        #expect(bench.answer(Bench.register(objects: "</11111/0>,</33333/0>"))?.code == .requestEntityTooLarge)
        #expect(bench.engine.status(of: "dev1")?.registration.objects.entries.count == 2)
    }

    @Test func commandsThatWaitAreBounded() {
        let bench = Bench { $0.maximumPendingCommands = 3 }
        _ = bench.registered()
        for _ in 0..<3 { #expect(bench.command(.read(ObjectPath(3, 0))).results.isEmpty) }
        #expect(bench.command(.read(ObjectPath(3, 0))).results == [.failed(.queueFull)])
        #expect(bench.engine.status(of: "dev1")?.pendingCommands == 3)
    }

    @Test func observationsAreBounded() throws {
        let bench = Bench { $0.maximumObservations = 2 }
        _ = bench.registered()
        for index in 0..<2 as Range<UInt16> {
            let (request, _) = try #require(bench.sent(.observe(ObjectPath(3303, index, 5700))))
            #expect(bench.tell(.responseReceived(request, content("1", observe: 1))).results.count == 1)
        }
        #expect(bench.command(.observe(ObjectPath(3303, 2, 5700))).results == [.failed(.tooManyObservations)])
        // The same path once more takes the place of the first.
        #expect(bench.sent(.observe(ObjectPath(3303, 0, 5700))) != nil)
    }

    @Test func commandsLetInTogetherDoNotPassTheBoundTogether() {
        let bench = Bench { $0.maximumObservations = 1 }
        _ = bench.registered()
        var outputs = bench.command(.observe(ObjectPath(3, 0, 9)))
        _ = bench.command(.observe(ObjectPath(3, 0, 13)))
        outputs = bench.tell(.responseReceived(outputs.requestIDs[0], content("1", observe: 1)))
        outputs = bench.tell(.responseReceived(outputs.requestIDs[0], content("1", observe: 1)))
        #expect(bench.engine.status(of: "dev1")?.observations == [ObjectPath(3, 0, 9)])
        #expect(outputs.contains { if case .cancelObservation = $0 { true } else { false } })
    }
}
