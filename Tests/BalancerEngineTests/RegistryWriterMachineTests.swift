import Primitives
import Testing

@testable import BalancerEngine

@Suite("The machine that writes a registry")
struct RegistryWriterMachineTests {
    private typealias Machine = RegistryWriterMachine

    private static let now = MonotonicTime.zero
    private static let later = MonotonicTime.zero.advanced(by: .seconds(3600))
    private static let stored = epoch(4)

    private static func epoch(_ number: UInt64, writer: UTF8Text = "balancer-1") -> RegistryEpoch {
        RegistryEpoch(writer: writer, number: number)
    }

    private static func batch(_ machine: Machine) -> NameUpdate {
        let (expected, epoch) = machine.nextEpochs
        return NameUpdate(expected: expected, epoch: epoch, assigned: [], removed: ["a.example.test"], timeToLive: 5)
    }

    /// A machine in each of its states; the batch, where there is one, leads from 4 to 5.
    private enum Stage: CaseIterable {
        case stopped, checking, checkingBatch, ready, storing, sending, reading, pausing, superseded
    }

    private func machine(_ stage: Stage) -> Machine {
        var machine = Machine(configuration: Bench.configuration)
        guard stage != .stopped else { return machine }
        if stage == .superseded {
            _ = machine.started(epoch: Self.stored, batch: nil, isSuperseded: true, now: Self.now)
            return machine
        }
        _ = machine.started(epoch: Self.stored, batch: nil, isSuperseded: false, now: Self.now)
        guard stage != .checking else { return machine }
        if stage == .reading {
            _ = machine.epochRead(.success(nil), now: Self.now)
            return machine
        }
        _ = machine.epochRead(.success(Self.stored), now: Self.now)
        guard stage != .ready else { return machine }
        _ = machine.batchMade(Self.batch(machine))
        guard stage != .storing else { return machine }
        _ = machine.stored(now: Self.now)
        if stage == .pausing { _ = machine.failed(UpdateID(rawValue: 1), .unreachable, now: Self.now) }
        if stage == .checkingBatch { _ = machine.failed(UpdateID(rawValue: 1), .epochMismatch, now: Self.now) }
        return machine
    }

    private typealias Event = (name: String, tell: (inout Machine) -> Machine.Action)

    private static var events: [Event] {
        [
            ("started", { $0.started(epoch: nil, batch: nil, isSuperseded: false, now: now) }),
            ("batch made", { $0.batchMade(batch($0)) }),
            ("stored", { $0.stored(now: now) }),
            ("applied", { $0.applied(UpdateID(rawValue: 1)) }),
            ("unreachable", { $0.failed(UpdateID(rawValue: 1), .unreachable, now: now) }),
            ("refused", { $0.failed(UpdateID(rawValue: 1), .refused(5), now: now) }),
            ("mismatch", { $0.failed(UpdateID(rawValue: 1), .epochMismatch, now: now) }),
            ("epoch 4", { $0.epochRead(.success(stored), now: now) }),
            ("epoch 5", { $0.epochRead(.success(epoch(5)), now: now) }),
            ("epoch of another", { $0.epochRead(.success(epoch(5, writer: "b")), now: now) }),
            ("no epoch", { $0.epochRead(.success(nil), now: now) }),
            ("epoch unreadable", { $0.epochRead(.failure(.malformedAnswer), now: now) }),
            ("names", { $0.namesRead(.success([]), now: now) }),
            ("names unreadable", { $0.namesRead(.failure(.local), now: now) }),
            ("take over", { $0.takeOverRequested(now: now) }),
            ("early deadline", { $0.deadlineReached(now: now) }),
            ("deadline", { $0.deadlineReached(now: later) }),
        ]
    }

    /// What each event leads to in each state; where nothing stands, nothing happens and nothing changes.
    private static let table: [Stage: [String: (Machine.State, String)]] = [
        .stopped: ["started": (.checking, "readEpoch")],
        .checking: [
            "epoch 4": (.ready, "none"), "epoch 5": (.reading(epoch(5)), "readNames"),
            "epoch of another": (.superseded, "stop"), "no epoch": (.reading(nil), "readNames"),
            "epoch unreadable": (.pausing, "pause"), "deadline": (.pausing, "pause"),
        ],
        .checkingBatch: [
            "epoch 4": (.sending, "send"), "epoch 5": (.ready, "finishBatch"), "applied": (.ready, "finishBatch"),
            "epoch of another": (.superseded, "stop"), "no epoch": (.reading(nil), "readNames"),
            "epoch unreadable": (.pausing, "pause"), "deadline": (.pausing, "pause"),
        ],
        .ready: ["batch made": (.storing, "store"), "take over": (.checking, "readEpoch")],
        .storing: ["stored": (.sending, "send")],
        .sending: [
            "applied": (.ready, "finishBatch"), "unreachable": (.pausing, "pause"), "refused": (.pausing, "pause"),
            "mismatch": (.checking, "readEpoch"), "deadline": (.pausing, "pause"),
        ],
        .reading: [
            "names": (.ready, "adopt"), "names unreadable": (.pausing, "pause"), "deadline": (.pausing, "pause"),
        ],
        .pausing: ["applied": (.ready, "finishBatch"), "deadline": (.checking, "readEpoch")],
        .superseded: ["take over": (.checking, "readEpoch")],
    ]

    @Test("Every state takes every event as the table says")
    func takesEveryEventInEveryState() {
        for stage in Stage.allCases {
            for event in Self.events {
                var machine = self.machine(stage)
                let before = machine.state
                let action = event.tell(&machine)
                let expected = Self.table[stage]?[event.name]
                #expect(machine.state == expected?.0 ?? before, "\(stage), \(event.name)")
                #expect(Self.word(action) == expected?.1 ?? "none", "\(stage), \(event.name)")
            }
        }
    }

    private static func word(_ action: Machine.Action) -> String {
        switch action {
        case .none: "none"
        case .store: "store"
        case .send: "send"
        case .readEpoch: "readEpoch"
        case .readNames: "readNames"
        case .finishBatch: "finishBatch"
        case .adopt: "adopt"
        case .stop: "stop"
        case .pause: "pause"
        }
    }

    @Test("Every wait but that for the store and for an operator has a deadline")
    func boundsEveryWait() {
        for stage in Stage.allCases {
            let mayWait: [Stage] = [.stopped, .ready, .storing, .superseded]
            #expect((self.machine(stage).deadline == nil) == mayWait.contains(stage), "\(stage)")
        }
    }

    @Test("A batch is sent again unchanged, and never under the epoch of another one")
    func sendsTheSameBatchAgain() {
        var machine = self.machine(.sending)
        let batch = machine.batch
        #expect(batch?.expected == Self.stored && batch?.epoch == Self.epoch(5))
        _ = machine.failed(UpdateID(rawValue: 1), .unreachable, now: Self.now)
        _ = machine.deadlineReached(now: Self.later)
        #expect(
            machine.epochRead(.success(Self.stored), now: Self.later) == .send(UpdateID(rawValue: 2), batch.unwrapped)
        )
        #expect(machine.applied(UpdateID(rawValue: 2)) == .finishBatch)
        #expect(machine.nextEpochs.epoch == Self.epoch(6))
    }

    @Test("The answer to an earlier try of the batch counts, that to an earlier batch does not")
    func knowsAnswersByTheirBatch() {
        var machine = self.machine(.sending)
        _ = machine.failed(UpdateID(rawValue: 1), .unreachable, now: Self.now)
        _ = machine.deadlineReached(now: Self.later)
        _ = machine.epochRead(.success(Self.stored), now: Self.later)
        #expect(machine.applied(UpdateID(rawValue: 1)) == .finishBatch)
        _ = machine.batchMade(Self.batch(machine))
        _ = machine.stored(now: Self.later)
        #expect(machine.applied(UpdateID(rawValue: 2)) == .none)
        #expect(machine.applied(UpdateID(rawValue: 3)) == .finishBatch)
    }

    @Test("A registry that denies the epoch that it tells is not asked in a tight circle")
    func pausesOverContradictions() {
        var machine = self.machine(.sending)
        var circles = 0
        while machine.state == .sending, circles < 100 {
            circles += 1
            _ = machine.failed(UpdateID(rawValue: UInt64(circles)), .epochMismatch, now: Self.now)
            _ = machine.epochRead(.success(Self.stored), now: Self.now)
        }
        #expect(circles == 4)
        #expect(machine.state == .pausing)
    }

    @Test("After a restart the epoch says whether the stored batch was done")
    func decidesOverTheStoredBatch() {
        let update = NameUpdate(
            expected: Self.stored,
            epoch: Self.epoch(5),
            assigned: [],
            removed: [],
            timeToLive: 5
        )
        for (found, action) in [
            (Self.stored, Machine.Action.send(UpdateID(rawValue: 1), update)), (Self.epoch(5), .finishBatch),
            (Self.epoch(3), .stop(by: Self.epoch(3))), (Self.epoch(6), .readNames),
            (Self.epoch(6, writer: "b"), .stop(by: Self.epoch(6, writer: "b"))),
        ] {
            var machine = Machine(configuration: Bench.configuration)
            _ = machine.started(epoch: Self.stored, batch: update, isSuperseded: false, now: Self.now)
            #expect(machine.epochRead(.success(found), now: Self.now) == action)
        }
    }

    @Test("What this writer is said to have written stops it, unless it has just begun and lost what it stored")
    func readsAfterLosingTheLastCommits() {
        var machine = Machine(configuration: Bench.configuration)
        _ = machine.started(epoch: Self.stored, batch: nil, isSuperseded: false, now: Self.now)
        #expect(machine.epochRead(.failure(.unreachable), now: Self.now) == .pause(.seconds(1), .unreachable))
        _ = machine.deadlineReached(now: Self.later)
        #expect(machine.epochRead(.success(Self.epoch(9)), now: Self.later) == .readNames)
        // All names take their time.
        #expect(machine.deadlineReached(now: Self.later.advanced(by: .seconds(719))) == .none)
        #expect(machine.namesRead(.success([]), now: Self.later) == .adopt([], Self.epoch(9)))
        #expect(machine.nextEpochs.epoch == Self.epoch(10))
        _ = machine.batchMade(Self.batch(machine))
        _ = machine.stored(now: Self.later)
        _ = machine.failed(UpdateID(rawValue: 1), .epochMismatch, now: Self.later)
        #expect(machine.epochRead(.success(Self.epoch(12)), now: Self.later) == .stop(by: Self.epoch(12)))
    }

    @Test("A take-over keeps going over failures, and never uses a number again")
    func takesOver() {
        var machine = self.machine(.superseded)
        let theirs = Self.epoch(2, writer: "b")
        #expect(machine.takeOverRequested(now: Self.now) == .readEpoch)
        #expect(machine.epochRead(.failure(.unreachable), now: Self.now) == .pause(.seconds(1), .unreachable))
        #expect(machine.deadlineReached(now: Self.later) == .readEpoch)
        #expect(machine.epochRead(.success(theirs), now: Self.later) == .readNames)
        #expect(machine.namesRead(.failure(.unreachable), now: Self.later) == .pause(.seconds(2), .unreachable))
        #expect(machine.deadlineReached(now: Self.later.advanced(by: .seconds(2))) == .readEpoch)
        #expect(machine.epochRead(.success(theirs), now: Self.later) == .readNames)
        #expect(machine.namesRead(.success([]), now: Self.later) == .adopt([], theirs))
        #expect(machine.nextEpochs.expected == theirs)
        #expect(machine.nextEpochs.epoch == Self.epoch(5))
    }
}
