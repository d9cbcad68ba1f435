import FleetConsole
import FleetEngine
import FleetReports
import Primitives
import Testing

@Suite struct FleetConsoleTests {
    private static func progress(registered: Int = 350) -> FleetProgress {
        var counts = FleetCounts()
        counts.planned = 1_000
        counts.started = 400
        counts.registered = registered
        counts.starting = 40
        counts.failing = 10
        counts.lateStarts = 7
        counts.failures = [.handshakeRefused: 10]
        return FleetProgress(
            phase: .ramp,
            elapsed: .seconds(3_725),
            counts: counts,
            operations: [
                FleetProgress.Operation(operation: .handshake, count: 360, perSecond: 180, p50: 3.21, p99: 12.5)
            ],
            processorPercent: 42.04,
            residentBytes: 33 << 20
        )
    }

    @Test func aLogGetsPlainLines() {
        var text = ""
        var console = FleetConsole(style: ConsoleStyle(isTerminal: false, usesColour: false)) { text += $0 }
        console.show(Self.progress())
        console.show(Self.progress())
        let expected =
            "01:02:05 starting: 400/1000 started, 350 registered, 40 starting, 10 failing | 7 late | "
            + "handshake 180/s p99 12.5 ms | cpu 42.0% rss 33 MiB\n"
        #expect(text == expected + expected)
        #expect(!text.contains("\u{1B}"))
    }

    @Test func aTerminalIsDrawnInPlace() {
        var written: [String] = []
        var console = FleetConsole(style: ConsoleStyle(isTerminal: true, usesColour: false)) { written.append($0) }
        console.show(Self.progress())
        console.show(Self.progress())
        let lines = written[0].filter { $0 == "\n" }.count
        #expect(!written[0].contains("\u{1B}"))
        #expect(written[1].hasPrefix("\u{1B}[\(lines)A\r\u{1B}[J"))
        #expect(written[1].hasSuffix(written[0]))
        #expect(written[0].contains("handshakeRefused 10: compare --psk-identity"))
        // A message stays: the next panel is drawn below it.
        console.say("interrupted")
        console.show(Self.progress())
        #expect(written[3] == written[0])
    }

    @Test func namesHaveALineOfTheirOwn() {
        var names = FleetNames()
        names.current = 9
        var progress = Self.progress()
        progress.names = names
        let style = ConsoleStyle(isTerminal: true, usesColour: false)
        #expect(ProgressText.panel(progress, style: style).contains("names 9 current, 0 neighbour, 0 static"))
        #expect(ProgressText.line(progress).contains("| names 9 current, 0 neighbour, 0 static |"))
    }

    @Test func instancesHaveBarsOfOneScale() {
        var spread = InstanceSpread(
            instances: [
                InstanceSpread.Instance(name: "instance-1", isUp: true, inProgress: 5, completed: 300),
                InstanceSpread.Instance(name: "instance-2", isUp: false, inProgress: 0, completed: 150),
            ],
            unknownNames: 2_000
        )
        let style = ConsoleStyle(isTerminal: true, usesColour: false)
        let panel = ProgressText.panel(Self.progress(), spread: spread, style: style)
        func length(_ name: String) -> Int {
            panel.first { $0.hasPrefix(name) }?.filter { $0 == "#" }.count ?? 0
        }
        #expect(length("instance-1") == 2 * length("instance-2"))
        #expect(panel.contains { $0.hasPrefix("instance-1") && $0.hasSuffix("300 bootstrapped, 5 under way") })
        #expect(panel.contains { $0.hasPrefix("instance-2") && $0.hasSuffix("150 bootstrapped, lost") })
        #expect(panel.contains("strangers asked for 2000 names that do not exist (NXDOMAIN)"))
        #expect(
            ProgressText.line(Self.progress(), spread: spread)
                .contains("| instance-1 300 instance-2 150 NXDOMAIN 2000 |")
        )
        // Many instances do not push the fleet off the screen.
        spread.instances = Array(repeating: spread.instances[0], count: 30)
        #expect(ProgressText.panel(Self.progress(), spread: spread, style: style).contains("and 22 instances more"))
        for width in [20, 40, 80, 200] {
            let style = ConsoleStyle(isTerminal: true, usesColour: false, width: width)
            for line in ProgressText.panel(Self.progress(), spread: spread, style: style) {
                #expect(line.count < width)
            }
        }
    }

    @Test func quietShowsNoProgress() {
        var text = ""
        let style = ConsoleStyle(isTerminal: true, usesColour: true)
        var console = FleetConsole(style: style, isQuiet: true) { text += $0 }
        console.show(Self.progress())
        #expect(text.isEmpty)
        console.say("but says what must be said")
        #expect(!text.isEmpty)
    }

    @Test(arguments: [20, 40, 80, 200])
    func linesFitTheTerminal(_ width: Int) {
        let style = ConsoleStyle(isTerminal: true, usesColour: false, width: width)
        for line in ProgressText.panel(Self.progress(), style: style) { #expect(line.count < width) }
    }

    @Test func aFullBarMeansEveryDevice() {
        let style = ConsoleStyle(isTerminal: true, usesColour: false)
        #expect(ProgressText.panel(Self.progress(registered: 999), style: style)[1].contains("#]") == false)
        var counts = FleetCounts()
        counts.planned = 3
        counts.started = 3
        counts.registered = 3
        let full = FleetProgress(
            phase: .hold,
            elapsed: .zero,
            counts: counts,
            operations: [],
            processorPercent: 0,
            residentBytes: 0
        )
        #expect(ProgressText.panel(full, style: style)[1].hasSuffix("#]"))
    }

    private static let styles: [(isTerminal: Bool, environment: [String: String], style: ConsoleStyle)] = [
        (true, ["TERM": "xterm"], ConsoleStyle(isTerminal: true, usesColour: true)),
        (true, ["NO_COLOR": "1"], ConsoleStyle(isTerminal: true, usesColour: false)),
        (true, ["NO_COLOR": ""], ConsoleStyle(isTerminal: true, usesColour: true)),
        (true, ["TERM": "dumb"], ConsoleStyle(isTerminal: false, usesColour: false)),
        (false, ["TERM": "xterm"], ConsoleStyle(isTerminal: false, usesColour: false)),
        (true, ["COLUMNS": "120"], ConsoleStyle(isTerminal: true, usesColour: true, width: 120)),
        (true, ["COLUMNS": "-3"], ConsoleStyle(isTerminal: true, usesColour: true, width: 20)),
        (true, ["COLUMNS": "many"], ConsoleStyle(isTerminal: true, usesColour: true, width: 80)),
    ]

    @Test(arguments: styles)
    func choosesAStyle(_ isTerminal: Bool, environment: [String: String], style: ConsoleStyle) {
        #expect(ConsoleStyle(isTerminal: isTerminal, environment: environment) == style)
    }
}
