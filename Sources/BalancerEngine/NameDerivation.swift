public import BootstrapURIs
internal import CoAPMessages
public import Primitives

/// What the balancer needs of a profile: which windows there are, and the host of a device in one of them.
public struct NameDerivation: Sendable {
    /// The length of a window in seconds; nil: there is one window only, which never ends.
    public let period: Int64?
    /// How far a device's clock may be off, in seconds.
    public let clockSkew: Int64
    /// The host of the static URI; it is never touched.
    public let staticHost: UTF8Text
    /// The window of a time.
    public let window: @Sendable (WallTime) -> TimeWindow
    /// When a window starts; it ends when the next one starts.
    public let start: @Sendable (TimeWindow) -> WallTime
    /// The host of a device in a window, in lower case; nil when its secret is not what the profile demands.
    public let host: @Sendable (_ secret: SecretBytes, _ endpoint: UTF8Text, _ window: TimeWindow) -> UTF8Text?

    /// Creates a derivation from its parts.
    public init(
        period: Int64?,
        clockSkew: Int64,
        staticHost: UTF8Text,
        window: @escaping @Sendable (WallTime) -> TimeWindow,
        start: @escaping @Sendable (TimeWindow) -> WallTime,
        host: @escaping @Sendable (_ secret: SecretBytes, _ endpoint: UTF8Text, _ window: TimeWindow) -> UTF8Text?
    ) {
        self.period = period
        self.clockSkew = clockSkew
        self.staticHost = staticHost
        self.window = window
        self.start = start
        self.host = host
    }
}

extension NameDerivation {
    /// The derivation of a profile that is bound to a static URI.
    public init(uris: TemporaryURIs, hashes: HashFunctions) {
        let profile = uris.profile
        self.init(
            period: profile.usesTime ? profile.period : nil,
            clockSkew: profile.clockSkew,
            staticHost: uris.staticURI.host,
            window: { profile.window(at: $0) },
            start: { profile.start(of: $0) },
            host: { secret, endpoint, window in
                try? uris.host(secret: secret, endpoint: endpoint, window: window, hashes: hashes)
            }
        )
    }
}
