import CommandSessions
import Foundation
import Primitives
import TestSupport
import Testing

/// Sessions over a link that does its worst, each run from its seed.
///
/// `STARLING_SESSIONS=1000000` runs so many in place of 20,000 and prints what happened; `STARLING_SEED=7` runs one seed.
@Suite struct SimulatedLinkTests {
    private static let sessionsARun = 100

    private static let settings: [SimulatedLink.Settings] = SessionForm.allCases.flatMap { form in
        [false, true].flatMap { isAttacked in
            [true, false].map { isQuiet in
                SimulatedLink.Settings(form: form, isQuiet: isQuiet, isAttacked: isAttacked)
            }
        }
    }

    @Test func noCommandRunsTwiceOrWithoutItsEchoAndTheGatewayIsToldTheTruth() throws {
        let asked = ProcessInfo.processInfo.environment["STARLING_SESSIONS"].flatMap(Int.init)
        let seeds = max(1, (asked ?? 20_000) / (Self.sessionsARun * Self.settings.count))
        var sums = [LinkCounts](repeating: LinkCounts(), count: Self.settings.count)
        try SeededRuns.each(UInt64(seeds)) { generator in
            for (index, var settings) in Self.settings.enumerated() {
                settings.seed = generator.next()
                sums[index] += try Self.run(settings)
            }
        }
        for (settings, sum) in zip(Self.settings, sums) {
            #expect(sum.completed > sum.sessions / 3, "a link that lets nothing through shows nothing")
            #expect(!settings.isAttacked || sum.attacks > 0)
            if asked != nil { print("\(Self.name(of: settings)): \(sum.line)") }
        }
        if asked != nil {
            let total = sums.reduce(into: LinkCounts()) { $0 += $1 }
            print("seeds 1 to \(seeds), nothing wrong in all: \(total.line)")
        }
    }

    private static func name(of settings: SimulatedLink.Settings) -> String {
        let form = settings.form == .bothIdentifiers ? "both identifiers" : "device identifier"
        return "\(form)\(settings.isQuiet ? "" : ", no quiet time")\(settings.isAttacked ? ", under attack" : "")"
    }

    private static func run(_ settings: SimulatedLink.Settings) throws -> LinkCounts {
        var link = SimulatedLink(settings)
        do {
            try link.run(sessions: self.sessionsARun)
            return link.counts
        } catch {
            // Once more, for what led there.
            let transcript = LinkTranscript()
            var again = SimulatedLink(settings, transcript: transcript)
            try? again.run(sessions: self.sessionsARun)
            print("\(self.name(of: settings)), seed \(settings.seed): \(error)")
            for line in transcript.lines.suffix(60) { print("  \(line)") }
            throw error
        }
    }
}
