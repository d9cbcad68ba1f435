import Foundation
public import PowerCut

/// Draws results as SVG: above, how many devices are bootstrapped; below, how busy the servers are, over the time since
/// the power returned.
///
/// Results without an attack stand on the left, those with one on the right. It reads well on light and dark pages.
public struct PowerCutPlot {
    private struct Panel {
        let x: Double
        let y: Double
        let title: String
    }

    private static let panelWidth = 430.0
    private static let panelHeight = 230.0
    private static let margin = 62.0
    private static let top = 84.0
    private static let rowGap = 74.0
    /// Distinct also to people who see fewer colours: first on light pages, then on dark ones.
    private static let colours = [
        ("#c2410c", "#fb923c"), ("#1d4ed8", "#60a5fa"), ("#047857", "#34d399"), ("#a21caf", "#e879f9"),
        ("#a16207", "#facc15"), ("#0e7490", "#22d3ee"),
    ]

    private let results: [PowerCutResult]
    private let kinds: [Int]
    private let longest: Double

    /// Prepares a plot.
    ///
    /// - Parameter results: of the same number of devices; at most one for each number of instances and kind of attack
    ///   is drawn well.
    public init(_ results: [PowerCutResult]) {
        self.results = results
        self.kinds = Set(results.map(\.instances)).sorted()
        self.longest = max(results.map(\.endSeconds).max() ?? 1, 10)
    }

    /// The picture.
    public var svg: String {
        let columns = [false, true].filter { isAttacked in self.results.contains { ($0.attackRate > 0) == isAttacked } }
        let width = Self.margin + Double(columns.count) * (Self.panelWidth + Self.margin)
        let height = Self.top + 2 * Self.panelHeight + Self.rowGap + 52
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(width)) \(Int(height))\" "
                + "width=\"\(Int(width))\" height=\"\(Int(height))\" role=\"img\">",
            "<title>\(self.title)</title>", self.style,
            "<rect class=\"page\" width=\"100%\" height=\"100%\" rx=\"8\"/>",
            "<text class=\"head\" x=\"\(Self.margin)\" y=\"26\">\(self.title)</text>",
        ]
        lines += self.legend
        for (number, isAttacked) in columns.enumerated() {
            let x = Self.margin + Double(number) * (Self.panelWidth + Self.margin)
            let shown = self.results.filter { ($0.attackRate > 0) == isAttacked }
            let attack = isAttacked ? "strangers send \(shown.first?.attackText ?? "") to the static name" : "no attack"
            let upper = Panel(x: x, y: Self.top, title: "Devices bootstrapped, \(attack)")
            let lower = Panel(
                x: x,
                y: Self.top + Self.panelHeight + Self.rowGap,
                title: "Load of a server: mean, least, most"
            )
            lines += self.frame(upper) + self.frame(lower)
            for result in shown {
                lines.append(self.curve(result, upper))
                lines += self.load(result, lower)
            }
        }
        lines.append("</svg>")
        return lines.joined(separator: "\n") + "\n"
    }

    private var title: String {
        let devices = self.results.first.map { PowerCutResult.grouped($0.devices) } ?? "0"
        let within = self.results.first.map { PowerCutResult.time($0.withinSeconds) } ?? ""
        return "A power cut of \(devices) devices, which reboot within \(within)"
    }

    private var style: String {
        func rules(_ colours: [String], page: String, ink: String, faint: String) -> String {
            var rules = [
                ".page{fill:\(page)}", "text{fill:\(ink)}", ".grid{stroke:\(faint)}", ".frame{stroke:\(ink)}",
            ]
            for (number, colour) in colours.enumerated() {
                rules += [".s\(number){stroke:\(colour)}", ".f\(number){fill:\(colour)}"]
            }
            return rules.joined()
        }
        let light = rules(Self.colours.map(\.0), page: "#ffffff", ink: "#1f2328", faint: "#d1d9e0")
        let dark = rules(Self.colours.map(\.1), page: "#0d1117", ink: "#e6edf3", faint: "#30363d")
        return "<style>text{font:12px system-ui,sans-serif}.head{font-size:16px;font-weight:600}"
            + ".end{text-anchor:end}.mid{text-anchor:middle}.curve{fill:none;stroke-width:2}"
            + ".band{stroke:none;opacity:.18}.grid{stroke-width:1}.frame{fill:none;stroke-width:1}"
            + light + "@media(prefers-color-scheme:dark){\(dark)}</style>"
    }

    private var legend: [String] {
        var x = Self.margin
        return self.kinds.flatMap { kind -> [String] in
            let text = self.results.first { $0.instances == kind }?.serversText ?? ""
            defer { x += 46 + Double(text.count) * 7 }
            let colour = self.colour(kind)
            return [
                "<line class=\"curve s\(colour)\" x1=\"\(x)\" y1=\"46\" x2=\"\(x + 22)\" y2=\"46\"/>",
                "<text x=\"\(x + 28)\" y=\"50\">\(text)</text>",
            ]
        }
    }

    private func colour(_ kind: Int) -> Int { (self.kinds.firstIndex(of: kind) ?? 0) % Self.colours.count }

    // MARK: Axes

    /// Times from one second on, each decade as wide as the next.
    private func x(_ seconds: Double, _ panel: Panel) -> Double {
        let share = log10(max(seconds, 1)) / log10(self.longest)
        return panel.x + min(share, 1) * Self.panelWidth
    }

    private func y(_ share: Double, _ panel: Panel) -> Double {
        panel.y + (1 - min(max(share, 0), 1)) * Self.panelHeight
    }

    private static let ticks: [(seconds: Double, text: String)] = [
        (1, "1 s"), (3, "3 s"), (10, "10 s"), (30, "30 s"), (60, "1 min"), (180, "3 min"), (600, "10 min"),
        (1_800, "30 min"), (3_600, "1 h"), (10_800, "3 h"), (36_000, "10 h"),
    ]

    private func frame(_ panel: Panel) -> [String] {
        var lines = ["<text x=\"\(panel.x)\" y=\"\(panel.y - 10)\">\(panel.title)</text>"]
        for percent in [0, 25, 50, 75, 100] {
            let y = Self.number(self.y(Double(percent) / 100, panel))
            lines.append(
                "<line class=\"grid\" x1=\"\(panel.x)\" y1=\"\(y)\" x2=\"\(panel.x + Self.panelWidth)\" y2=\"\(y)\"/>"
            )
            lines.append("<text class=\"end\" x=\"\(panel.x - 6)\" y=\"\(y)\" dy=\"4\">\(percent) %</text>")
        }
        for tick in Self.ticks where tick.seconds <= self.longest {
            let x = Self.number(self.x(tick.seconds, panel))
            let bottom = panel.y + Self.panelHeight
            lines.append("<line class=\"grid\" x1=\"\(x)\" y1=\"\(panel.y)\" x2=\"\(x)\" y2=\"\(bottom)\"/>")
            lines.append("<text class=\"mid\" x=\"\(x)\" y=\"\(bottom + 17)\">\(tick.text)</text>")
        }
        lines.append(
            "<rect class=\"frame\" x=\"\(panel.x)\" y=\"\(panel.y)\" width=\"\(Self.panelWidth)\" "
                + "height=\"\(Self.panelHeight)\"/>"
        )
        return lines
    }

    // MARK: Curves

    private func curve(_ result: PowerCutResult, _ panel: Panel) -> String {
        var points = [(result.endSeconds, Double(result.bootstrapped))]
        points =
            result.bootstrappedCurve.enumerated().map {
                (Double(($0.offset + 1) * result.intervalSeconds), Double($0.element))
            } + points
        let placed = points.map { (self.x($0.0, panel), self.y($0.1 / Double(result.devices), panel)) }
        return "<path class=\"curve s\(self.colour(result.instances))\" d=\"M\(self.path(placed))\"/>"
    }

    private func load(_ result: PowerCutResult, _ panel: Panel) -> [String] {
        let loads = result.askedServers.map(\.load)
        guard let count = loads.map(\.count).min(), count > 0 else { return [] }
        var mean: [(Double, Double)] = []
        var least: [(Double, Double)] = []
        var most: [(Double, Double)] = []
        for index in 0..<count {
            let shares = loads.map { Double($0[index]) / 1_000 }
            let x = self.x(Double((index + 1) * result.intervalSeconds), panel)
            mean.append((x, self.y(shares.reduce(0, +) / Double(shares.count), panel)))
            least.append((x, self.y(shares.min() ?? 0, panel)))
            most.append((x, self.y(shares.max() ?? 0, panel)))
        }
        let colour = self.colour(result.instances)
        let band = "M\(self.path(most))L\(self.path(least.reversed()))Z"
        return [
            "<path class=\"band f\(colour)\" d=\"\(band)\"/>",
            "<path class=\"curve s\(colour)\" d=\"M\(self.path(mean))\"/>",
        ]
    }

    /// Points that fall within half a unit of their neighbours are left out.
    private func path(_ points: [(Double, Double)]) -> String {
        var kept: [(Double, Double)] = []
        for (index, point) in points.enumerated() {
            if let last = kept.last, index < points.count - 1, abs(point.0 - last.0) < 0.5, abs(point.1 - last.1) < 0.5
            {
                continue
            }
            kept.append(point)
        }
        return kept.map { "\(Self.number($0.0)) \(Self.number($0.1))" }.joined(separator: "L")
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
