/// What the place that progress is written to can show.
public struct ConsoleStyle: Hashable, Sendable {
    /// Whether lines can be drawn again in place.
    public var isTerminal: Bool
    /// Whether colours are wanted.
    public var usesColour: Bool
    /// Columns; lines are cut there when drawn in place.
    public var width: Int

    /// Creates a style.
    public init(isTerminal: Bool, usesColour: Bool, width: Int = 80) {
        self.isTerminal = isTerminal
        self.usesColour = usesColour
        self.width = min(max(width, 20), 400)
    }

    /// Chooses a style: colours only on a terminal that is not `dumb`, and never when NO_COLOR is set.
    ///
    /// - Parameters:
    ///   - isTerminal: whether the descriptor is a terminal.
    ///   - environment: TERM, NO_COLOR and COLUMNS count.
    ///   - width: the terminal's columns, when it told; otherwise COLUMNS or 80.
    public init(isTerminal: Bool, environment: [String: String], width: Int? = nil) {
        let isCapable = isTerminal && environment["TERM"] != "dumb"
        let refusesColour = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        self.init(
            isTerminal: isCapable,
            usesColour: isCapable && !refusesColour,
            width: width ?? environment["COLUMNS"].flatMap { Int($0) } ?? 80
        )
    }
}
