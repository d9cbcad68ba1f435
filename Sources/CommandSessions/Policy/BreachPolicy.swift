public import Primitives

/// What is done about a breach, by how much of a threat it is.
///
/// As text each line is a name, `=` and responses with commas between, lines with `;` between:
/// `routine=log;unpermitted=log,report;unknown=log,block,trace,report;spoofed=log,suspend,alarm`, which is the standard.
public struct BreachPolicy: Hashable, Sendable {
    /// A threat level with what stands on it.
    public enum Line: UInt8, Sendable, CaseIterable {
        /// Very low: communication as it should be.
        case routine = 0
        /// Low: a known user beyond its permissions.
        case unpermitted = 1
        /// Medium: an unknown user or address.
        case unknown = 2
        /// High: a spoofed server or device, known by a wrong echo or a wrong identifier.
        case spoofed = 3

        var name: StaticString {
            switch self {
            case .routine: "routine"
            case .unpermitted: "unpermitted"
            case .unknown: "unknown"
            case .spoofed: "spoofed"
            }
        }
    }

    /// What can be done; any number of them together.
    public struct Responses: OptionSet, Hashable, Sendable {
        /// One bit for each response.
        public let rawValue: UInt8

        /// Creates a set from its bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Write it into the log.
        public static let log = Responses(rawValue: 1)
        /// Tell the server: a resource that it observes changes.
        public static let report = Responses(rawValue: 2)
        /// Keep the peer's address with what is logged and reported.
        public static let trace = Responses(rawValue: 4)
        /// Take no more session messages and no change of protected paths from this peer.
        public static let block = Responses(rawValue: 8)
        /// Talk no more with this peer for a while.
        public static let suspend = Responses(rawValue: 16)
        /// Raise the alarm, which stays until somebody resets it.
        public static let alarm = Responses(rawValue: 32)

        static let named: [(name: StaticString, response: Responses)] = [
            ("log", .log), ("report", .report), ("trace", .trace), ("block", .block), ("suspend", .suspend),
            ("alarm", .alarm),
        ]
    }

    /// Why a text is no policy.
    public enum ParseError: Error, Hashable, Sendable {
        /// The line, counted from 0, is not `name=response,…`.
        case malformedLine(Int)
        /// The line, counted from 0, has a name that is none, or that stands there twice.
        case unknownLine(Int)
        /// The line, counted from 0, has a response that is none.
        case unknownResponse(Int)
    }

    private var byLine: [Responses]

    /// The policy of a device or gateway that was told nothing else.
    public static let standard = BreachPolicy(byLine: [
        .log, [.log, .report], [.log, .block, .trace, .report], [.log, .suspend, .alarm],
    ])

    private init(byLine: [Responses]) {
        self.byLine = byLine
    }

    /// The responses on a line.
    public subscript(line: Line) -> Responses {
        get { self.byLine[Int(line.rawValue)] }
        set { self.byLine[Int(line.rawValue)] = newValue }
    }

    /// Reads a policy; a line that is missing is as in ``standard``.
    public init(parsing text: UTF8Text) throws(ParseError) {
        self = .standard
        var seen: [Line] = []
        for (index, part) in text.bytes.split(separator: Ascii.semicolon).enumerated() {
            let sides = part.split(separator: Ascii.equals, omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty else { throw .malformedLine(index) }
            guard let line = Line.allCases.first(where: { sides[0].spells($0.name) }), !seen.contains(line) else {
                throw .unknownLine(index)
            }
            seen.append(line)
            var responses: Responses = []
            for word in sides[1].split(separator: Ascii.comma) {
                guard let known = Responses.named.first(where: { word.spells($0.name) }) else {
                    throw .unknownResponse(index)
                }
                responses.insert(known.response)
            }
            self[line] = responses
        }
    }

    /// The policy as text with all lines.
    public var text: UTF8Text {
        var bytes: [UInt8] = []
        for line in Line.allCases {
            if !bytes.isEmpty { bytes.append(Ascii.semicolon) }
            bytes.append(name: line.name)
            bytes.append(Ascii.equals)
            var isFirst = true
            for known in Responses.named where self[line].contains(known.response) {
                if !isFirst { bytes.append(Ascii.comma) }
                isFirst = false
                bytes.append(name: known.name)
            }
        }
        return UTF8Text(validating: bytes) ?? ""
    }
}

extension ArraySlice<UInt8> {
    fileprivate func spells(_ name: StaticString) -> Bool {
        name.withUTF8Buffer { self.elementsEqual($0) }
    }
}

extension [UInt8] {
    fileprivate mutating func append(name: StaticString) {
        name.withUTF8Buffer { self.append(contentsOf: $0) }
    }
}
