import FleetReports
import Foundation
import PowerCut
import Testing

@Suite struct PowerCutReportTests {
    private static func result(instances: Int, attack: Double = 0, seconds: Double? = 31.6) -> PowerCutResult {
        var result = PowerCutResult(
            devices: 100_000,
            instances: instances,
            attackRate: attack,
            withinSeconds: 30,
            seed: 1
        )
        result.bootstrapped = seconds == nil ? 60_000 : 100_000
        result.endSeconds = seconds ?? 3_600
        result.secondsTo50 = 268.7
        result.secondsTo100 = seconds
        result.datagrams = 1_900_000
        result.bootstrappedCurve = [0, 20_000, 60_000]
        result.servers = (0...instances).map { number in
            var server = PowerCutResult.Server(name: "server-\(number)")
            server.load = [0, 500, 1_000]
            server.busySeconds = Double(number)
            return server
        }
        return result
    }

    @Test func aResultSurvivesItsReport() throws {
        let result = Self.result(instances: 3, attack: 100_000, seconds: nil)
        #expect(try PowerCutResult(json: result.json()) == result)
        #expect(throws: (any Error).self) { try PowerCutResult(json: "{}") }
    }

    @Test func theTableSaysWhatWasReachedAndWhatWasNot() {
        let table = PowerCutResult.markdown([
            Self.result(instances: 3), Self.result(instances: 0, attack: 100_000, seconds: nil),
        ])
        let rows = table.split(separator: "\n")
        #expect(rows.count == 4)
        #expect(rows[2].hasPrefix("| 100,000 | 3 instances | no attack | 4 min 29 s |"))
        #expect(rows[2].contains("| 31.6 s | 19.0 |"))
        // Of the instances, not of the server that only strangers ask.
        #expect(rows[2].hasSuffix("| 0 to 2 s |"))
        #expect(rows[3].contains("| one static server | 100,000/s |"))
        #expect(rows[3].contains("| not reached | 60.0 % in 60 min |"))
    }

    @Test func thePlotHasACurveForEachResultAndColoursForBothKindsOfPage() {
        let svg = PowerCutPlot([
            Self.result(instances: 0), Self.result(instances: 3), Self.result(instances: 0, attack: 100_000),
        ]).svg
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
        #expect(svg.contains("prefers-color-scheme:dark"))
        #expect(svg.components(separatedBy: "class=\"curve").count - 1 == 2 + 2 * 3)
        #expect(svg.components(separatedBy: "class=\"band").count - 1 == 3)
        #expect(svg.contains("no attack") && svg.contains("100,000/s"))
        #expect(!svg.contains("nan") && !svg.contains("inf"))
    }

    @Test func aPlotOfNothingIsAPicture() {
        #expect(PowerCutPlot([]).svg.hasSuffix("</svg>\n"))
    }
}
