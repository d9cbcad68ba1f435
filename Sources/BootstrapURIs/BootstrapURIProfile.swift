/// How a device and its network derive temporary bootstrap URIs alike: everything but the secret and the static URI.
///
/// ``TemporaryURIs`` binds it to a static URI and derives.
public struct BootstrapURIProfile: Hashable, Sendable {
    /// What is combined with the secret.
    public enum Parameter: UInt8, Hashable, Sendable, CaseIterable {
        /// The endpoint client name, as its UTF-8 bytes.
        case endpoint
        /// The time stamp of the window.
        case time
        /// The value that follows from ``BootstrapURIProfile/counter``: HMAC-SHA-256(secret, "rv" || counter).
        case random
    }

    /// How a time becomes a stamp.
    public enum Rounding: UInt8, Hashable, Sendable, CaseIterable {
        /// To the closest full period; halfway counts as the later one.
        case closest
        /// To the period that began last.
        case floor
    }

    /// How a stamp becomes bytes.
    public enum TimeFormat: UInt8, Hashable, Sendable, CaseIterable {
        /// Decimal digits in ASCII.
        case decimal
        /// 8 bytes, the most significant first.
        case binary
    }

    /// How the secret and the parameters become the input of the hash.
    public enum Combination: Hashable, Sendable {
        /// The secret, then the parameters.
        case concatenation
        /// The secret inserted into the parameters behind so many of their bytes; behind all of them when they are fewer.
        case insertion(offset: UInt8)
        /// HMAC-SHA-256 of the labelled parameters, keyed by the secret.
        case hmac
    }

    /// Which characters of the text go into the URI.
    public enum Selection: Hashable, Sendable {
        /// Every character.
        case all
        /// So many characters from the start.
        case first(UInt8)
        /// So many characters from the end.
        case last(UInt8)
        /// These characters, counted from 0, in this order.
        case positions([UInt8])
    }

    /// Where the selection goes.
    public enum Insertion: Hashable, Sendable {
        /// Behind the first label of the host: `bs486.example.com`.
        case labelEnd
        /// Before the first label of the host: `486bs.example.com`.
        case labelStart
        /// Into the first label of the host, behind so many of its characters.
        case labelOffset(UInt8)
        /// As a first label of its own: `486.bs.example.com`.
        case ownLabel
        /// As the last segment of the path.
        case path
        /// As the last query.
        case query
    }

    /// A part of the endpoint client name that stands before the selection.
    public enum EndpointPart: Hashable, Sendable {
        /// So many bytes from the start of the name.
        case first(UInt8)
        /// So many bytes from the end of the name.
        case last(UInt8)
    }

    /// What is combined with the secret, in this order; each at most once.
    public var parameters: [Parameter] = [.endpoint, .time]
    /// How the time is rounded.
    public var rounding: Rounding = .closest
    /// The period of the time stamp in seconds, 1 to 31,622,400.
    public var period: Int64 = 3600
    /// How the stamp is written.
    public var timeFormat: TimeFormat = .decimal
    /// The counter of the random variable; nil unless ``Parameter/random`` is among the parameters.
    public var counter: UInt64?
    /// How secret and parameters become the input of the hash.
    public var combination: Combination = .hmac
    /// The hash of the input.
    public var suite: HashSuite = .hmacSHA256
    /// How the hash becomes text.
    public var alphabet: Alphabet = .base32
    /// What of the text goes into the URI.
    public var selection: Selection = .last(16)
    /// Where it goes.
    public var insertion: Insertion = .labelEnd
    /// What of the endpoint name stands before it; nil for nothing.
    public var endpointPart: EndpointPart?
    /// How far clocks may be apart, in seconds: 0 to half a period.
    public var clockSkew: Int64 = 60
    /// Whether a device that has no clock, or finds no name, may use the static URI.
    public var fallsBackToStaticURI = false
    /// Whether a device derives anew in every period, also while it waits.
    public var regeneratesEveryPeriod = false
    /// Whether fewer than 48 bits may survive the selection; names may then collide.
    public var allowsShortNames = false
    /// Whether secrets under 16 bytes are taken, for tests alone.
    public var isTest = false

    /// HMAC over endpoint and the closest hour; 16 characters of base 32 (80 bits) behind the first label.
    public static let standard = BootstrapURIProfile(unchecked: ())

    private init(unchecked: Void) {}

    /// Whether the names change with time.
    public var usesTime: Bool { self.parameters.contains(.time) }
}
