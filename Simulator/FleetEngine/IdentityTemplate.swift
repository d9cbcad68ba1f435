public import Primitives

/// A text with placeholders from which each device of a fleet gets its endpoint name or PSK identity.
///
/// `{index}` is the number of the device in the whole fleet, `{index:8}` the same with leading zeros to eight digits,
/// and `{endpoint}` the endpoint name, where the template is that of an identity.
public struct IdentityTemplate: Hashable, Sendable {
    /// Why a text is not a template.
    public enum ParseError: Error, Hashable, Sendable {
        /// The text has no characters.
        case empty
        /// More bytes than a PSK identity may have; how many are allowed.
        case tooLong(limit: Int)
        /// An opening brace without its closing one.
        case unclosedPlaceholder
        /// A placeholder with another name than `index` and `endpoint`, or a width outside 1 to 20.
        case unknownPlaceholder(String)
    }

    private enum Part: Hashable, Sendable {
        case literal([UInt8])
        case index(width: Int)
        case endpoint
    }

    /// The longest template: RFC 4279 has implementations support identities of 128 bytes.
    public static let longest = 128

    private let parts: [Part]

    /// Reads a template.
    public init(parsing text: String) throws(ParseError) {
        guard !text.isEmpty else { throw .empty }
        guard text.utf8.count <= Self.longest else { throw .tooLong(limit: Self.longest) }
        var parts: [Part] = []
        var literal: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "{") else {
                literal.append(byte)
                continue
            }
            guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { throw .unclosedPlaceholder }
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = []
            parts.append(try Self.placeholder(String(decoding: rest[..<end], as: UTF8.self)))
            rest = rest[(end + 1)...]
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        self.parts = parts
    }

    private static func placeholder(_ name: String) throws(ParseError) -> Part {
        if name == "index" { return .index(width: 1) }
        if name == "endpoint" { return .endpoint }
        if name.hasPrefix("index:"), let width = Int(name.dropFirst(6)), (1...20).contains(width) {
            return .index(width: width)
        }
        throw .unknownPlaceholder(name)
    }

    /// Whether every device gets another text by the index.
    public var namesIndex: Bool {
        self.parts.contains { if case .index = $0 { true } else { false } }
    }

    /// Whether the text depends on the endpoint name.
    public var namesEndpoint: Bool { self.parts.contains(.endpoint) }

    /// The text of a device.
    ///
    /// - Parameters:
    ///   - index: the number of the device in the whole fleet.
    ///   - endpoint: what `{endpoint}` stands for.
    public func text(index: Int, endpoint: UTF8Text = "") -> UTF8Text {
        var bytes: [UInt8] = []
        for part in self.parts {
            switch part {
            case .literal(let literal): bytes += literal
            case .endpoint: bytes += endpoint.bytes
            case .index(let width):
                let digits = Array(String(index).utf8)
                for _ in stride(from: digits.count, to: width, by: 1) { bytes.append(UInt8(ascii: "0")) }
                bytes += digits
            }
        }
        return UTF8Text(validating: bytes) ?? UTF8Text("\(index)")
    }
}
