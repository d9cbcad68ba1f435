public import FleetReports

/// Shows a fleet while it runs: a panel drawn again in place on a terminal, plain lines elsewhere.
public struct FleetConsole {
    private let style: ConsoleStyle
    private let isQuiet: Bool
    private let write: (String) -> Void
    private var drawnLines = 0

    /// Creates a console.
    ///
    /// - Parameters:
    ///   - style: what the place can show.
    ///   - isQuiet: whether progress is not wanted at all.
    ///   - write: takes text, line ends included.
    public init(style: ConsoleStyle, isQuiet: Bool = false, write: @escaping (String) -> Void) {
        self.style = style
        self.isQuiet = isQuiet
        self.write = write
    }

    /// Shows where the fleet stands, in place of what was shown before.
    ///
    /// - Parameters:
    ///   - progress: where it stands.
    ///   - spread: how its devices spread over the instances of a balancer, where one was asked.
    public mutating func show(_ progress: FleetProgress, spread: InstanceSpread? = nil) {
        guard !self.isQuiet else { return }
        guard self.style.isTerminal else {
            self.write(ProgressText.line(progress, spread: spread) + "\n")
            return
        }
        let lines = ProgressText.panel(progress, spread: spread, style: self.style)
        // Up to the panel's first line, and clear from there to the end of the screen.
        var text = self.drawnLines > 0 ? "\u{1B}[\(self.drawnLines)A\r\u{1B}[J" : ""
        for line in lines { text += line + "\n" }
        self.write(text)
        self.drawnLines = lines.count
    }

    /// Writes a message on a line of its own; the next panel is drawn below it.
    public mutating func say(_ message: String) {
        self.write(message + "\n")
        self.drawnLines = 0
    }
}
