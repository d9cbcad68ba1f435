extension FleetReport {
    /// The report as a table of plain text for people, lines of at most 80 columns.
    public var table: String {
        let devices = self.devices
        var lines = [
            "",
            "devices      \(devices.started) started of \(devices.planned), \(devices.registered) registered, "
                + "\(devices.failed) failed, "
                + "\(devices.lost) lost",
        ]
        let deeds = [
            (devices.bootstrapped, "bootstrapped"), (devices.updated, "updated"), (devices.read, "read"),
            (devices.written, "written"), (devices.observed, "observed"), (devices.notified, "notified"),
            (devices.deregistered, "deregistered"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        lines += self.listed("of these", deeds, perLine: 4)
        lines += self.byCause("failed by", devices.failedByCause)
        lines += self.byCause("failures", self.failures)
        lines += self.listed("names", self.names?.parts ?? [], perLine: 3)
        lines += self.listed("commands", self.commands?.parts ?? [], perLine: 3)
        lines.append("starts       \(self.lateStarts) late, \(self.droppedStarts) dropped")
        if devices.notDeregistered > 0 {
            lines.append("stop         \(devices.notDeregistered) did not finish deregistering")
        }
        if let percent = self.lossPercent { lines.append("loss         \(percent)% of the datagrams each way") }
        lines.append(
            "time         \(Self.text(self.rampSeconds, 1)) s ramp, \(Self.text(self.holdSeconds, 1)) s hold, "
                + "\(Self.text(self.wallSeconds, 1)) s in all"
        )
        if !self.operations.isEmpty {
            let titles = ["count", "per s", "p50", "p90", "p99", "p99.9", "max"]
            lines += ["", titles.reduce(Self.leading("latency, ms", 18)) { $0 + Self.padded($1, 8) }]
        }
        for operation in FleetOperation.allCases {
            guard let measured = self.operations[operation.rawValue] else { continue }
            let latencies = measured.milliseconds
            let cells =
                ["\(measured.count)", Self.text(measured.perSecond, 1)]
                + [latencies.p50, latencies.p90, latencies.p99, latencies.p999, latencies.max].map(Self.latency)
            lines.append(cells.reduce(Self.leading(operation.title, 18)) { $0 + Self.padded($1, 8) })
        }
        lines += [
            "",
            "CPU per device       \(Self.text(self.cpuMillisecondsPerDevice, 3)) ms until registered",
            "resident per device  \(Self.text(self.residentKiBPerDevice, 1)) KiB",
            "CPU while it ran     \(Self.text(self.idleCPUPercent, 2))% of one core",
        ]
        let counted = self.transport.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        if !counted.isEmpty {
            lines += ["", "transport    " + counted.map { "\($0.key) \($0.value)" }.joined(separator: ", ")]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func listed(_ title: String, _ parts: [String], perLine: Int) -> [String] {
        var lines: [[String]] = []
        for part in parts {
            if let last = lines.last, last.count < perLine, (last + [part]).joined(separator: ", ").count <= 67 {
                lines[lines.count - 1].append(part)
            } else {
                lines.append([part])
            }
        }
        return lines.enumerated().map { index, line in
            Self.leading(index == 0 ? title : "", 13) + line.joined(separator: ", ")
        }
    }

    private func byCause(_ title: String, _ causes: [String: Int]) -> [String] {
        guard !causes.isEmpty else { return [] }
        let sorted = causes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return [Self.leading(title, 13) + sorted.map { "\($0.key) \($0.value)" }.joined(separator: ", ")]
    }

    private static func latency(_ milliseconds: Double) -> String {
        Self.text(milliseconds, milliseconds < 10 ? 3 : milliseconds < 1_000 ? 1 : 0)
    }

    /// A number with a fixed number of digits behind the point, 0 to 3.
    public static func text(_ value: Double, _ digits: Int) -> String {
        let scale = [1.0, 10, 100, 1_000][min(max(digits, 0), 3)]
        let scaled = Int64(min(max((value * scale).rounded(), -9e15), 9e15))
        let whole = scaled.magnitude / UInt64(scale)
        let sign = scaled < 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(whole)" }
        let fraction = "\(scaled.magnitude % UInt64(scale))"
        return "\(sign)\(whole)." + String(repeating: "0", count: max(digits - fraction.count, 0)) + fraction
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(width - text.count, 1)) + text
    }

    private static func leading(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(width - text.count, 1))
    }
}

extension FleetOperation {
    /// The name in tables.
    public var title: String { self == .otherOperation ? "other" : self.rawValue }
}
