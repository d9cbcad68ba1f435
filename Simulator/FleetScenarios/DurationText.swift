/// Reads durations, rates and shares as people write them on a command line.
enum DurationText {
    /// The longest duration: a year and a day.
    static let longest = Duration.seconds(366 * 86_400)

    /// Reads `500ms`, `60s`, `1.5m`, `1h` or `2d`; a number without a unit is in seconds.
    ///
    /// - Returns: nil when it is nothing like that, negative, or longer than ``longest``.
    static func parse(_ text: String) -> Duration? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let value = self.decimal(number) else { return nil }
        let seconds: Double
        switch text.dropFirst(number.count) {
        case "ms": seconds = value / 1_000
        case "", "s": seconds = value
        case "m": seconds = value * 60
        case "h": seconds = value * 3_600
        case "d": seconds = value * 86_400
        default: return nil
        }
        guard seconds <= 366 * 86_400 else { return nil }
        return .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    /// Reads `500/s`, `30/m`, `1000/h`; a number without a unit is per second.
    ///
    /// - Returns: starts per second; nil when it is nothing like that.
    static func parseRate(_ text: String) -> Double? {
        let number = text.prefix { $0 != "/" }
        guard let value = self.decimal(number) else { return nil }
        switch text.dropFirst(number.count) {
        case "", "/s": return value
        case "/m": return value / 60
        case "/h": return value / 3_600
        default: return nil
        }
    }

    /// Reads `1%` or `0.5%`, up to `100%`.
    ///
    /// - Returns: the share, 0 to 1; nil when it is nothing like that.
    static func parseShare(_ text: String) -> Double? {
        guard text.hasSuffix("%"), let percent = self.decimal(text.dropLast()), percent <= 100 else { return nil }
        return percent / 100
    }

    private static func decimal(_ text: Substring) -> Double? {
        guard !text.isEmpty, text.utf8.count <= 18, text.first != ".", text.last != ".",
            text.allSatisfy({ ("0"..."9").contains($0) || $0 == "." })
        else { return nil }
        return Double(text)
    }
}
