import FleetReports
import Foundation
import Testing

@Suite("Command sessions in the report of a fleet")
struct FleetCommandsTests {
    private static func report(_ commands: FleetCommands?) -> FleetReport {
        var report = FleetReportTests.report()
        report.commands = commands
        return report
    }

    private static func counted() -> FleetCommands {
        var commands = FleetCommands()
        commands.completed = 990
        commands.refused = 3
        commands.aborted = 12
        commands.breaches = ["wrong-identifier": 2, "direct-change": 5]
        commands.suspensions = 2
        commands.restarts = 10
        return commands
    }

    private func lines(_ report: FleetReport) -> [Substring] {
        let all = report.table.split(separator: "\n")
        guard let first = all.firstIndex(where: { $0.hasPrefix("commands ") }) else { return [] }
        return Array(all[first...].prefix { $0.hasPrefix("commands ") || $0.hasPrefix("             ") })
    }

    @Test func areLeftOutWhereTheDevicesHaveNone() throws {
        #expect(try !Self.report(nil).json().contains("\"commands\""))
        #expect(self.lines(Self.report(nil)).isEmpty)
    }

    @Test func jsonHasTheDocumentedKeysAndReadsBack() throws {
        let report = Self.report(Self.counted())
        let json = try report.json()
        #expect(try FleetReport(json: Array(json.utf8)) == report)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        let commands = try #require(object["commands"] as? [String: Any])
        #expect(
            Set(commands.keys) == ["completed", "refused", "aborted", "late", "breaches", "suspensions", "restarts"]
        )
        #expect(commands["breaches"] as? [String: Int] == ["wrong-identifier": 2, "direct-change": 5])
        #expect(commands["completed"] as? Int == 990)
        #expect(commands["restarts"] as? Int == 10)
    }

    @Test func theTableLeavesOutWhatDidNotHappen() {
        #expect(self.lines(Self.report(FleetCommands())) == ["commands     0 completed, 0 aborted"])
        #expect(
            self.lines(Self.report(Self.counted()))
                == [
                    "commands     990 completed, 12 aborted, 3 refused",
                    "             2 suspended, 10 restarts, 5 direct-change",
                    "             2 wrong-identifier",
                ]
        )
    }

    @Test func theTableStaysWithinItsWidth() {
        var commands = Self.counted()
        let names = [
            "changed-command", "direct-change", "reflected", "swapped-identifier", "unknown-address", "unknown-server",
            "wrong-identifier",
        ]
        for name in names { commands.breaches[name] = 123_456_789 }
        let report = Self.report(commands)
        for line in report.table.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        let shown = self.lines(report).joined(separator: " ")
        for name in names { #expect(shown.contains("123456789 \(name)")) }
    }
}
