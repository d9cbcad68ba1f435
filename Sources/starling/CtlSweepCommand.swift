import ArgumentParser
import Foundation
import ManagementService
import ServiceSupport

/// Asks every device the same.
struct CtlSweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Ask every device the same, and count the answers.",
        discussion: """
            Without --follow it asks the devices that are registered now. With --follow it asks devices as they \
            register, and goes on until so many have deregistered.

            EXAMPLES
              starling ctl sweep --read /3/0/0 --control ctl.sock
              starling ctl sweep --follow 1000 --within 60 --read /3/0 --write /1/0/1=60 --observe /3303/0/5700 \\
                --control ctl.sock

            EXIT STATUS
              0  every device answered everything with a success
              1  not every device did, or not in time
            """
    )

    @Option(help: ArgumentHelp("Read this at every device.", valueName: "path")) var read: String?
    @Option(help: ArgumentHelp("Write this resource at every device.", valueName: "path=value")) var write: String?
    @Option(help: ArgumentHelp("Observe this at every device.", valueName: "path")) var observe: String?
    @Option(help: ArgumentHelp("Execute this resource at every device.", valueName: "path")) var execute: String?
    @Option(help: ArgumentHelp("Go on until so many devices have registered and gone.", valueName: "n"))
    var follow: Int?
    @Option(help: "End after so many seconds.") var within = 60
    @OptionGroup var control: ControlOptions

    func run() throws {
        let session = try ControlSession(self.control)
        var sweep = ControlSweep(plan: try self.plan())
        let end = ContinuousClock.now + .seconds(self.within)
        while !self.isComplete(sweep) {
            while let request = sweep.nextRequest() { try session.send(request) }
            guard let reply = try session.next(before: end) else { break }
            sweep.take(reply)
        }
        self.show(sweep.counts, session)
        guard self.isComplete(sweep), sweep.isFlawless else { throw ServiceConsole.Exit.refused }
    }

    private func isComplete(_ sweep: ControlSweep) -> Bool {
        sweep.isIdle && sweep.counts.deregistered >= self.follow ?? 0
    }

    private func plan() throws -> ControlSweep.Plan {
        var plan = ControlSweep.Plan(read: self.read, observe: self.observe, execute: self.execute)
        guard let write else { return plan }
        let parts = write.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            ServiceConsole.complain(ServiceError("'\(write)' has no value", hint: "write it as /1/0/1=60"))
            throw ServiceConsole.Exit.usage
        }
        plan.write = (parts[0], parts[1])
        return plan
    }

    private func show(_ counts: ControlSweep.Counts, _ session: ControlSession) {
        if self.control.json {
            session.printJSON(counts)
            return
        }
        let rows: [(String, Int, Bool)] = [
            ("registered", counts.registered, true), ("read", counts.read, self.read != nil),
            ("written", counts.written, self.write != nil), ("observed", counts.observed, self.observe != nil),
            ("executed", counts.executed, self.execute != nil), ("notified", counts.notified, self.observe != nil),
            ("updated", counts.updated, self.follow != nil), ("deregistered", counts.deregistered, self.follow != nil),
        ]
        for (name, count, isWanted) in rows where isWanted {
            ServiceConsole.say(name.padding(toLength: 14, withPad: " ", startingAt: 0) + "\(count)")
        }
        for (cause, count) in counts.failures.sorted(by: { $0.key < $1.key }) {
            ServiceConsole.say("failed: \(cause) \(count)")
        }
    }
}
