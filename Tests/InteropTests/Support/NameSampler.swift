import Foundation
import Primitives
import Synchronization

/// Asks for names that are live, some thousand a second and all the time, on a thread of its own.
final class NameSampler: Sendable {
    /// What it saw.
    struct Findings: Sendable {
        var samples = 0
        /// Live names that the server said do not exist, or gave no address of.
        var missing: [String] = []
        /// Live names that led elsewhere.
        var wrong: [String] = []
        /// Questions without an answer within two seconds.
        var unanswered = 0
        /// In nanoseconds, of every answered question.
        var waits: [Int64] = []

        /// The wait that a share of all answers did not pass, in milliseconds.
        func wait(share: Double) -> Double {
            guard !self.waits.isEmpty else { return 0 }
            let index = Int(Double(self.waits.count - 1) * share)
            return Double(self.waits.sorted()[index]) / 1e6
        }
    }

    /// Names that are live while others change.
    struct Live: Sendable {
        /// Every name with the addresses that it may lead to.
        var names: [(name: String, addresses: [[UInt8]])]
        /// So many of them, from the front, are live.
        var count: Int
    }

    private let live: Mutex<[Live]>
    private let findings = Mutex(Findings())
    private let isOver = Mutex(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    /// Starts to ask; from each of the groups equally often.
    init(host: String, port: UInt16, groups: [Live], seed: UInt64) {
        self.live = Mutex(groups)
        Thread.detachNewThread { [self] in
            let probe = NameProbe(host: host, port: port)
            var generator = SeededGenerator(seed: seed)
            while !self.isOver.withLock({ $0 }) {
                self.sample(probe, &generator)
                // A pause leaves processor time for the server, and for the one who writes.
                usleep(100)
            }
            self.hasEnded.signal()
        }
    }

    /// Says how many names of a group are live from now on.
    ///
    /// Fewer before they are taken away, more after they were published.
    func setLive(_ count: Int, ofGroup group: Int) { self.live.withLock { $0[group].count = count } }

    /// What it has seen by now.
    var findingsSoFar: Findings { self.findings.withLock { $0 } }

    /// Ends it, and says what it saw.
    func end() -> Findings {
        self.isOver.withLock { $0 = true }
        self.hasEnded.wait()
        return self.findings.withLock { $0 }
    }

    private func sample(_ probe: NameProbe, _ generator: inout SeededGenerator) {
        let choice = UInt64.random(in: .min ... .max, using: &generator)
        let picked = self.live.withLock { groups -> (group: Int, index: Int, name: String, addresses: [[UInt8]])? in
            let group = Int(choice % UInt64(groups.count))
            guard groups[group].count > 0 else { return nil }
            let index = Int((choice >> 8) % UInt64(groups[group].count))
            return (group, index, groups[group].names[index].name, groups[group].names[index].addresses)
        }
        guard let picked else { return }
        let start = ContinuousClock.now
        let answer = probe.ask(picked.name)
        let wait = (ContinuousClock.now - start).nanoseconds
        // One that was being taken away while the question was under way says nothing.
        let isStillLive = self.live.withLock { picked.index < $0[picked.group].count }
        guard isStillLive else { return }
        self.findings.withLock { findings in
            findings.samples += 1
            guard let answer else {
                findings.unanswered += 1
                return
            }
            findings.waits.append(wait)
            if answer.addresses.isEmpty {
                findings.missing.append(picked.name)
            } else if !answer.addresses.allSatisfy({ picked.addresses.contains($0) }) || answer.addresses.count != 1 {
                findings.wrong.append(picked.name)
            }
        }
    }
}
