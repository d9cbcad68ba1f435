import GatewayEngine
import Primitives
import TestSupport
import Testing

@Suite struct LossyTests {
    @Test(
        "Whatever is lost and whoever crashes, a command is executed at most once and its outcome is true",
        arguments: [true, false]
    )
    func outcomesAreTrue(_ isSecured: Bool) throws {
        var total = (commands: 0, done: 0, notDone: 0, unknown: 0, crashes: 0)
        try SeededRuns.each(30) { generator in
            let world = LossyWorld(seed: generator, isSecured: isSecured)
            for number in 0..<60 { world.give(within: 6000, to: number % LossyWorld.deviceCount) }
            // Trouble for three hours, then none.
            let calm = MonotonicTime.zero.advanced(by: .seconds(10_800))
            try self.run(world) { world.now < calm }
            world.troubled = false
            try self.run(world) { world.engine.commandCount > 0 }
            for number in world.accepted {
                _ = try #require(world.outcomes[number], "command \(number) did not end")
                total.commands += 1
            }
            #expect(world.snapshot.commands.isEmpty)
            for outcome in world.outcomes.values {
                switch outcome {
                case .done: total.done += 1
                case .notDone: total.notDone += 1
                case .unknown: total.unknown += 1
                }
            }
            total.crashes += world.crashes
            // Nobody's help is needed: the next command of every device is executed.
            let last = (0..<LossyWorld.deviceCount).map { device in
                world.give(within: 1, to: device)
                return world.lastCommand
            }
            try self.run(world) { last.contains { world.outcomes[$0] == nil } }
            for number in last { try #require(world.outcomes[number] == .done(.changed), "command \(number)") }
        }
        #expect(total.commands > 1500)
        #expect(total.done > 1000 && total.notDone > 0 && total.unknown > 0 && total.crashes > 500)
    }

    private func run(_ world: LossyWorld, while goesOn: () -> Bool) throws {
        var steps = 0
        while goesOn(), world.step() {
            steps += 1
            try #require(steps < 100_000, "it goes on for ever")
            try #require(world.problems.isEmpty, "\(world.problems)")
        }
    }
}
