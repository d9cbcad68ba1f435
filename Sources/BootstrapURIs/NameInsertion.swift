public import Primitives

/// Where in the static URI the name goes.
public enum NameInsertion: Hashable, Sendable {
    /// Behind the first label of the host: `bs486.myserver.com`.
    case endOfFirstLabel
    /// Before the first label of the host: `486bs.myserver.com`.
    case startOfFirstLabel
    /// Into the first label of the host behind so many characters: `b486s.myserver.com`.
    case offsetInFirstLabel(Int)
    /// As the first label of the host, before all others: `486.bs.myserver.com`.
    case ownLabel
    /// As the last segment of the path.
    case path
    /// As the last item of the query; behind a name and `=` when there is a name.
    case query(name: UTF8Text? = nil)

    /// Whether the name lands in the host, where a resolver sees it.
    public var isInHost: Bool {
        switch self {
        case .endOfFirstLabel, .startOfFirstLabel, .offsetInFirstLabel, .ownLabel: true
        case .path, .query: false
        }
    }
}

/// A part of a parameter that stands beside the selected characters, for people and for routing by name.
///
/// Only the letters and digits of the parameter count, in lower case, because a host holds no others. There may be
/// fewer than asked for, down to none.
public struct ParameterPart: Hashable, Sendable {
    /// Which of the characters.
    public enum Extent: Hashable, Sendable {
        /// So many from the start.
        case first(Int)
        /// So many from the end.
        case last(Int)
    }

    /// On which side of the selected characters.
    public enum Side: Hashable, Sendable {
        /// Behind them.
        case after
        /// Before them.
        case before
    }

    /// The most characters of a part: those of a label.
    public static let largestCount = 63

    /// The parameter; the time stamp counts in decimal, the random variable in hexadecimal digits.
    public let parameter: DerivationParameter
    /// Which of its characters.
    public let extent: Extent
    /// Where they stand.
    public let side: Side

    /// Creates a part.
    ///
    /// - Parameter extent: 1 to 63 characters.
    public init(_ parameter: DerivationParameter, _ extent: Extent, _ side: Side) {
        self.parameter = parameter
        self.extent = extent
        self.side = side
    }

    /// The most characters that the part can have.
    public var characterCount: Int {
        switch self.extent {
        case .first(let count), .last(let count): count
        }
    }

    /// The characters of a parameter's text that the part takes.
    func characters(of text: [UInt8]) -> [UInt8] {
        let plain = text.lazy.map(Ascii.lowercased).filter { Ascii.isDigit($0) || Ascii.isLetter($0) }
        switch self.extent {
        case .first(let count): return Array(plain.prefix(count))
        case .last(let count): return Array(Array(plain).suffix(count))
        }
    }
}
