import FleetEngine
public import FleetReports
import Primitives

/// Writes the progress of a fleet as text: a panel for a terminal, a line for a log.
public enum ProgressText {
    /// One line with everything that matters; no colours, no control characters.
    public static func line(_ progress: FleetProgress, spread: InstanceSpread? = nil) -> String {
        let counts = progress.counts
        var parts = [
            "\(self.time(progress.elapsed)) \(self.name(progress.phase)):",
            "\(counts.started)/\(counts.planned) started,",
            "\(counts.registered) registered,",
            "\(counts.starting) starting,",
            "\(counts.failing) failing",
        ]
        if progress.phase == .stopping || progress.phase == .done { parts.append(", \(counts.stopped) stopped") }
        if counts.lateStarts > 0 { parts.append("| \(counts.lateStarts) late") }
        if counts.droppedStarts > 0 { parts.append("| \(counts.droppedStarts) dropped") }
        if let names = progress.names { parts.append("| names \(names.text)") }
        if let spread { parts.append("| \(spread.line)") }
        for operation in progress.operations where operation.perSecond > 0 && operation.operation != .start {
            parts.append(
                "| \(operation.operation.title) \(self.fixed(operation.perSecond, 0))/s p99 "
                    + "\(self.latency(operation.p99)) ms"
            )
        }
        parts.append("| cpu \(self.fixed(progress.processorPercent, 1))% rss \(progress.residentBytes >> 20) MiB")
        return parts.joined(separator: " ").replacing(" ,", with: ",")
    }

    /// The lines of a panel that is drawn again in place.
    public static func panel(
        _ progress: FleetProgress,
        spread: InstanceSpread? = nil,
        style: ConsoleStyle
    ) -> [String] {
        let counts = progress.counts
        func paint(_ text: String, _ colour: Int) -> String {
            style.usesColour ? "\u{1B}[\(colour)m\(text)\u{1B}[0m" : text
        }
        var lines: [(text: String, colour: Int)] = [
            ("starling fleet  \(self.name(progress.phase))  \(self.time(progress.elapsed))", 1),
            (self.bar(counts, width: min(style.width, 80)), 36),
            (
                "started \(counts.started)/\(counts.planned)  registered \(counts.registered)  starting "
                    + "\(counts.starting)  stopped \(counts.stopped)", 0
            ),
            (
                "failing \(counts.failing)  late \(counts.lateStarts)  dropped \(counts.droppedStarts)",
                counts.failing > 0 || counts.droppedStarts > 0 ? 31 : counts.lateStarts > 0 ? 33 : 0
            ),
        ]
        if let names = progress.names {
            lines.append(("names \(names.text)", names.withoutName + names.withoutClock > 0 ? 31 : 0))
        }
        if let spread { lines += spread.lines(width: min(style.width, 80)) }
        let causes = counts.failures.sorted { ($1.value, $0.key.name) < ($0.value, $1.key.name) }.prefix(3)
        for (cause, count) in causes { lines.append(("  \(cause.name) \(count): \(cause.hint)", 31)) }
        lines.append((self.row(["", "count", "per s", "p50 ms", "p99 ms"]), 2))
        for operation in progress.operations {
            let cells = [
                operation.operation.title, "\(operation.count)", self.fixed(operation.perSecond, 0),
                self.latency(operation.p50), self.latency(operation.p99),
            ]
            lines.append((self.row(cells), 0))
        }
        lines.append(
            (
                "cpu \(self.fixed(progress.processorPercent, 1))% of a core  memory \(progress.residentBytes >> 20) MiB",
                0
            )
        )
        return lines.map { line in
            let cut = String(line.text.prefix(style.width - 1))
            return line.colour == 0 ? cut : paint(cut, line.colour)
        }
    }

    private static func bar(_ counts: FleetCounts, width: Int) -> String {
        let room = max(width - 3, 10)
        let planned = max(counts.planned, 1)
        // Rounded down, so that a full bar means every device.
        let registered = min(room * counts.registered / planned, room)
        let started = min(room * counts.started / planned, room)
        return "[" + String(repeating: "#", count: registered)
            + String(repeating: "-", count: max(started - registered, 0))
            + String(repeating: " ", count: room - max(started, registered)) + "]"
    }

    private static func row(_ cells: [String]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            let gap = String(repeating: " ", count: max((index == 0 ? 13 : 10) - cell.count, 0))
            line += index == 0 ? cell + gap : gap + cell
        }
        return line
    }

    private static func name(_ phase: FleetEngine.Phase) -> String {
        switch phase {
        case .waiting: "waiting"
        case .ramp: "starting"
        case .hold: "running"
        case .stopping: "deregistering"
        case .done: "done"
        }
    }

    private static func time(_ elapsed: Duration) -> String {
        let seconds = max(elapsed.nanoseconds / 1_000_000_000, 0)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }

    private static func latency(_ milliseconds: Double) -> String {
        self.fixed(milliseconds, milliseconds < 10 ? 2 : milliseconds < 1_000 ? 1 : 0)
    }

    private static func fixed(_ value: Double, _ digits: Int) -> String { FleetReport.text(value, digits) }
}
