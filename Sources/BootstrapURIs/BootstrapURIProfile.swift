/// How the temporary bootstrap URIs of a deployment are made: the same value on devices, balancer and servers.
///
/// A profile is data. It holds no secret, and every profile that exists is consistent in itself: ``TemporaryURIs`` puts
/// it together with a static URI.
public struct BootstrapURIProfile: Hashable, Sendable {
    /// The parameters that go into the derivation, in their order, none twice.
    public let parameters: [DerivationParameter]
    /// How they are combined with the secret.
    public let combination: ParameterCombination
    /// The hash that makes the derivative.
    public let suite: HashSuite
    /// The characters in which the derivative is written.
    public let alphabet: NameAlphabet
    /// Which of those characters survive.
    public let selection: CharacterSelection
    /// Where in the static URI they go.
    public let insertion: NameInsertion
    /// The part of a parameter that stands beside them.
    public let part: ParameterPart?
    /// The length of a window in seconds, 1 to 315360000 (ten years of 365 days).
    public let period: Int64
    /// To which full period the time is rounded.
    public let rounding: TimeRounding
    /// How the time stamp becomes bytes.
    public let timeForm: TimeStampForm
    /// How far clocks may be apart, in seconds, 0 to 86400.
    public let clockSkew: Int64
    /// What the random variable is made from; nil when it is no parameter.
    public let counter: UInt64?
    /// Whether a device without a trustworthy clock, or without a record for any name, may use the static URI.
    public let fallsBackToStaticURI: Bool
    /// Whether a device derives anew at the start of each window, and not only before it bootstraps.
    public let regeneratesEveryPeriod: Bool
    /// Whether names of fewer than 48 bits are meant; devices may then share a name.
    public let allowsShortNames: Bool
    /// Whether this is a test, in which a secret may have fewer than 16 bytes.
    public let isTest: Bool

    /// The profile of a new deployment: HMAC over endpoint and closest hour, 80 bits in base 32 behind the first label.
    public static let standard = BootstrapURIProfile(ProfileDraft())

    /// How many bits a name tells at least, unless ``allowsShortNames`` is set.
    public static let leastBits = 48
    /// How many bytes a secret has at least, unless ``isTest`` is set.
    public static let leastSecret = 16
    /// The lengths of a window in seconds.
    public static let periods: ClosedRange<Int64> = 1...315_360_000
    /// How far clocks may be apart, in seconds.
    public static let clockSkews: ClosedRange<Int64> = 0...86_400

    /// Creates a profile; what is not stated is as in ``standard``.
    ///
    /// - Throws: ``ProfileError`` for the first dimension that is outside its range or contradicts another.
    public init(
        parameters: [DerivationParameter] = [.endpoint, .time],
        combination: ParameterCombination = .hmac,
        suite: HashSuite = .hmacSHA256,
        alphabet: NameAlphabet = .base32,
        selection: CharacterSelection = .first(16),
        insertion: NameInsertion = .endOfFirstLabel,
        part: ParameterPart? = nil,
        period: Int64 = 3600,
        rounding: TimeRounding = .closest,
        timeForm: TimeStampForm = .decimal,
        clockSkew: Int64 = 60,
        counter: UInt64? = nil,
        fallsBackToStaticURI: Bool = false,
        regeneratesEveryPeriod: Bool = false,
        allowsShortNames: Bool = false,
        isTest: Bool = false
    ) throws(ProfileError) {
        var draft = ProfileDraft()
        draft.parameters = parameters
        draft.combination = combination
        draft.suite = suite
        draft.alphabet = alphabet
        draft.selection = selection
        draft.insertion = insertion
        draft.part = part
        draft.period = period
        draft.rounding = rounding
        draft.timeForm = timeForm
        draft.clockSkew = clockSkew
        draft.counter = counter
        draft.fallsBackToStaticURI = fallsBackToStaticURI
        draft.regeneratesEveryPeriod = regeneratesEveryPeriod
        draft.allowsShortNames = allowsShortNames
        draft.isTest = isTest
        self = try draft.validated()
    }

    /// Takes over a draft that was validated, or the standard one.
    init(_ draft: ProfileDraft) {
        self.parameters = draft.parameters
        self.combination = draft.combination
        self.suite = draft.suite
        self.alphabet = draft.alphabet
        self.selection = draft.selection
        self.insertion = draft.insertion
        self.part = draft.part
        self.period = draft.period
        self.rounding = draft.rounding
        self.timeForm = draft.timeForm
        self.clockSkew = draft.clockSkew
        self.counter = draft.counter
        self.fallsBackToStaticURI = draft.fallsBackToStaticURI
        self.regeneratesEveryPeriod = draft.regeneratesEveryPeriod
        self.allowsShortNames = draft.allowsShortNames
        self.isTest = draft.isTest
    }

    /// Whether the names change with time; a profile without a time stamp has one window only.
    public var usesTime: Bool { self.parameters.contains(.time) }

    /// How many bits of the derivative a name tells, rounded down.
    public var bitCount: Int { self.selection.bitCount(suite: self.suite, alphabet: self.alphabet) }
}
