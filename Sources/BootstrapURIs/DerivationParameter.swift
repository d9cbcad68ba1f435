public import Primitives

/// What goes into a derivation beside the secret.
public enum DerivationParameter: Hashable, CaseIterable, Sendable {
    /// The endpoint name of the device, byte by byte.
    case endpoint
    /// The time stamp of the window.
    case time
    /// A value that follows from the secret and a counter.
    case randomVariable

    /// The name in the textual form of a profile; `"endpoint"`.
    public var name: UTF8Text {
        switch self {
        case .endpoint: "endpoint"
        case .time: "time"
        case .randomVariable: "random"
        }
    }

    /// The byte that marks the parameter's value in the message of an HMAC.
    var label: UInt8 {
        switch self {
        case .endpoint: UInt8(ascii: "e")
        case .time: UInt8(ascii: "t")
        case .randomVariable: UInt8(ascii: "r")
        }
    }
}

/// How the time stamp of a window becomes bytes.
public enum TimeStampForm: Hashable, CaseIterable, Sendable {
    /// Decimal digits in ASCII, behind `-` before 1970.
    case decimal
    /// Eight bytes, most significant first, in two's complement.
    case binary

    /// The name in the textual form of a profile; `"decimal"`.
    public var name: UTF8Text { self == .decimal ? "decimal" : "binary" }

    /// The most bytes that a stamp takes: the digits of the least number of 64 bits.
    static let largestCount = 20

    func write(_ window: TimeWindow, into sink: inout ByteSink) {
        switch self {
        case .decimal: sink.append(decimal: window.stamp)
        case .binary: sink.append(bigEndian: UInt64(bitPattern: window.stamp))
        }
    }
}

/// To which full period a time is rounded.
public enum TimeRounding: Hashable, CaseIterable, Sendable {
    /// The closest; in the middle between two, the later.
    case closest
    /// The one before.
    case floor

    /// The name in the textual form of a profile; `"closest"`.
    public var name: UTF8Text { self == .closest ? "closest" : "floor" }
}
