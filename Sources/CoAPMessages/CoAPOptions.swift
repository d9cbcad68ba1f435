public import Primitives

/// The number of a CoAP option.
///
/// - Source: RFC 7252, section 5.10; RFC 7641; RFC 7959.
public struct CoAPOptionNumber: Hashable, Comparable, Sendable {
    /// The number, as in the registry.
    public let rawValue: UInt16

    /// Creates an option number.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Whether a receiver that does not know the option must refuse the message.
    public var isCritical: Bool { self.rawValue & 1 == 1 }

    /// Orders options as they stand on the wire.
    public static func < (lhs: CoAPOptionNumber, rhs: CoAPOptionNumber) -> Bool { lhs.rawValue < rhs.rawValue }

    /// If-Match.
    public static let ifMatch = CoAPOptionNumber(rawValue: 1)
    /// Uri-Host.
    public static let uriHost = CoAPOptionNumber(rawValue: 3)
    /// ETag.
    public static let eTag = CoAPOptionNumber(rawValue: 4)
    /// If-None-Match.
    public static let ifNoneMatch = CoAPOptionNumber(rawValue: 5)
    /// Observe.
    public static let observe = CoAPOptionNumber(rawValue: 6)
    /// Uri-Port.
    public static let uriPort = CoAPOptionNumber(rawValue: 7)
    /// Location-Path.
    public static let locationPath = CoAPOptionNumber(rawValue: 8)
    /// Uri-Path.
    public static let uriPath = CoAPOptionNumber(rawValue: 11)
    /// Content-Format.
    public static let contentFormat = CoAPOptionNumber(rawValue: 12)
    /// Max-Age.
    public static let maxAge = CoAPOptionNumber(rawValue: 14)
    /// Uri-Query.
    public static let uriQuery = CoAPOptionNumber(rawValue: 15)
    /// Accept.
    public static let accept = CoAPOptionNumber(rawValue: 17)
    /// Location-Query.
    public static let locationQuery = CoAPOptionNumber(rawValue: 20)
    /// Block2.
    public static let block2 = CoAPOptionNumber(rawValue: 23)
    /// Block1.
    public static let block1 = CoAPOptionNumber(rawValue: 27)
    /// Size2.
    public static let size2 = CoAPOptionNumber(rawValue: 28)
    /// Size1.
    public static let size1 = CoAPOptionNumber(rawValue: 60)
}

/// One option: a number and its bytes.
public struct CoAPOption: Hashable, Sendable {
    /// Which option it is.
    public let number: CoAPOptionNumber
    /// Its value as on the wire.
    public let value: [UInt8]

    /// Creates an option from its number and bytes.
    public init(_ number: CoAPOptionNumber, _ value: [UInt8]) {
        self.number = number
        self.value = value
    }
}

/// The options of a message, in the order of their numbers; repeated options keep the order they were added in.
public struct CoAPOptions: Hashable, Sendable {
    /// Every option, lowest number first.
    public private(set) var all: [CoAPOption] = []

    /// Creates options without any.
    public init() {}

    /// Adds an option behind those with the same number.
    public mutating func append(_ number: CoAPOptionNumber, _ value: [UInt8]) {
        var index = self.all.count
        while index > 0, self.all[index - 1].number > number { index -= 1 }
        self.all.insert(CoAPOption(number, value), at: index)
    }

    /// Adds an option whose value is a number, in as few bytes as it needs.
    ///
    /// - Source: RFC 7252, section 3.2, `uint`.
    public mutating func append(_ number: CoAPOptionNumber, unsigned value: UInt64) {
        var writer = ByteWriter()
        writer.write(value, byteCount: (64 - value.leadingZeroBitCount + 7) / 8)
        self.append(number, writer.bytes)
    }

    /// Removes every option with the number.
    public mutating func remove(_ number: CoAPOptionNumber) {
        self.all.removeAll { $0.number == number }
    }

    /// The bytes of the first option with the number.
    public func first(_ number: CoAPOptionNumber) -> [UInt8]? {
        for option in self.all where option.number == number { return option.value }
        return nil
    }

    /// The number in the first option with the number; nil when absent or longer than 8 bytes.
    public func unsigned(_ number: CoAPOptionNumber) -> UInt64? {
        guard let value = self.first(number), value.count <= 8 else { return nil }
        var result: UInt64 = 0
        for byte in value { result = result << 8 | UInt64(byte) }
        return result
    }

    /// The values of a repeated option as text; nil when one of them is not UTF-8.
    public func texts(_ number: CoAPOptionNumber) -> [UTF8Text]? {
        var texts: [UTF8Text] = []
        for option in self.all where option.number == number {
            guard let text = UTF8Text(validating: option.value) else { return nil }
            texts.append(text)
        }
        return texts
    }

    /// The Content-Format, when there is one.
    public var contentFormat: ContentFormat? { self.format(.contentFormat) }

    /// The format the sender wants back, when it says so.
    public var accept: ContentFormat? { self.format(.accept) }

    /// The value of Observe: in a request 0 registers and 1 cancels, in an answer it orders notifications.
    public var observe: UInt64? { self.unsigned(.observe) }

    private func format(_ number: CoAPOptionNumber) -> ContentFormat? {
        guard let value = self.unsigned(number), value <= 0xFFFF else { return nil }
        return ContentFormat(rawValue: UInt16(value))
    }
}
