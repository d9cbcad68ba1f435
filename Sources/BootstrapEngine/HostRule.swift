public import BootstrapURIs
internal import CoAPMessages
public import Primitives

/// Which hosts a device may have sent its Bootstrap-Request to: the temporary names of its own, of now.
///
/// A name that this rule does not know may still be pinned: the balancer keeps the name of a bootstrap that takes
/// longer than the window. The engine has that asked when it may.
public struct HostRule: Sendable {
    /// What names are made of.
    public var uris: TemporaryURIs
    /// The hashes they are made with.
    public var hashes: HashFunctions
    /// Whether hosts that are not of now are asked about with ``BootstrapOutput/askPin(_:endpoint:host:)``.
    public var asksForPins = false
    /// How long the answer may take; without one the host is refused.
    public var pinTimeout: Duration = .seconds(3)
    /// The most questions at once; beyond it hosts are refused without asking.
    public var maximumQuestions = 1_000
    /// How many windows back a name still counts as one that the device had, 0 to 1,000.
    public var rememberedWindows = 24

    /// Creates a rule.
    public init(uris: TemporaryURIs, hashes: HashFunctions) {
        self.uris = uris
        self.hashes = hashes
    }

    /// The host of requests that name none: where temporary names stand elsewhere in the URI, its host is no secret.
    var impliedHost: UTF8Text? {
        self.uris.profile.insertion.isInHost ? nil : self.uris.staticURI.host
    }

    /// What a host is to a device.
    enum Verdict: Equatable {
        /// Its temporary name of now.
        case current
        /// The static host, which the profile lets it fall back to.
        case fallback
        /// A name that it had before.
        case expired
        /// None of its names.
        case unknown
    }

    func verdict(_ address: RequestedAddress, endpoint: UTF8Text, secret: SecretBytes, at time: WallTime) -> Verdict {
        let profile = self.uris.profile
        func isNamed(in window: TimeWindow) -> Bool {
            let uri = try? self.uris.uri(secret: secret, endpoint: endpoint, window: window, hashes: self.hashes)
            return uri.map { address.matches($0, besides: self.uris.staticURI) } ?? false
        }
        let windows = profile.windows(around: time)
        // Clocks are read in whole seconds: one that is right within the skew may show a second more or less there.
        let edges = [-1, 1].flatMap { second in
            profile.windows(around: WallTime(secondsSinceEpoch: time.secondsSinceEpoch &+ second))
        }
        if (windows + edges.filter { !windows.contains($0) }).contains(where: isNamed) { return .current }
        if profile.fallsBackToStaticURI, address.matches(self.uris.staticURI, besides: self.uris.staticURI) {
            return .fallback
        }
        guard var window = windows.min() else { return .unknown }
        for _ in 0..<max(self.rememberedWindows, 0) {
            let before = profile.previous(window)
            // A profile without time has one window.
            guard before < window else { break }
            window = before
            if isNamed(in: window) { return .expired }
        }
        return .unknown
    }
}

/// Where a device sent its Bootstrap-Request, as the request tells it.
struct RequestedAddress: Hashable, Sendable {
    /// The host, in lower case; nil when the device named none.
    let host: UTF8Text?
    /// The path in front of `bs`.
    let path: [UTF8Text]
    /// The queries, those of the request itself among them.
    let query: [UTF8Text]

    /// Whether this is the address of a URI; where it is the static one's, the path may be left out.
    func matches(_ uri: CoAPURI, besides staticURI: CoAPURI) -> Bool {
        guard self.host == uri.host else { return false }
        guard self.path == uri.path || (self.path.isEmpty && uri.path == staticURI.path) else { return false }
        return uri.query.allSatisfy { self.query.contains($0) || staticURI.query.contains($0) }
    }
}
