public import CoAPMessages
public import Primitives

/// A profile put together with the static URI of a deployment: derives the URI of any device in any window.
///
/// What can be wrong with the two is found here, so that a derived URI is valid whatever the hash gives.
public struct TemporaryURIs: Hashable, Sendable {
    /// The longest endpoint name that a derivation takes, in bytes.
    public static let largestEndpoint = 65_535

    /// The profile.
    public let profile: BootstrapURIProfile
    /// The URI that names are inserted into.
    public let staticURI: CoAPURI
    /// The characters of the derivative that survive.
    let positions: [Int]
    /// How many characters of the derivative have to be written for that.
    let characterCount: Int
    /// What stands before the name in the part of the URI that it goes into.
    let prefix: [UInt8]
    /// What stands behind it.
    let suffix: [UInt8]

    /// Puts a profile and a static URI together.
    ///
    /// - Throws: ``ProfileError`` when a name in this URI would break a rule of RFC 3986 or of host names.
    public init(profile: BootstrapURIProfile, staticURI: CoAPURI) throws(ProfileError) {
        let count = profile.alphabet.characterCount(ofBytes: profile.suite.byteCount)
        guard let positions = profile.selection.positions(outOf: count) else { throw .invalid(.selection) }
        let host = staticURI.host.bytes
        let isAddress = HostRules.isAddress(host)
        guard !isAddress || !profile.insertion.isInHost else { throw .hostIsAddress }
        guard isAddress || HostRules.isName(host) else { throw .invalidHost }
        self.profile = profile
        self.staticURI = staticURI
        self.positions = positions
        self.characterCount = profile.alphabet == .decimal ? count : (positions.max() ?? 0) + 1

        let labelEnd = host.firstIndex(of: Ascii.dot) ?? host.count
        var place = 0
        switch profile.insertion {
        case .endOfFirstLabel: place = labelEnd
        case .offsetInFirstLabel(let offset):
            guard offset <= labelEnd else { throw .offsetBehindLabel }
            place = offset
        case .startOfFirstLabel, .ownLabel: break
        case .path, .query: place = host.count
        }
        switch profile.insertion {
        case .endOfFirstLabel, .startOfFirstLabel, .offsetInFirstLabel:
            (self.prefix, self.suffix) = (Array(host[..<place]), Array(host[place...]))
        case .ownLabel: (self.prefix, self.suffix) = ([], [Ascii.dot] + host)
        case .query(let name?): (self.prefix, self.suffix) = (name.bytes + [Ascii.equals], [])
        case .path, .query(nil): (self.prefix, self.suffix) = ([], [])
        }
        try self.validateLongest(labelEnd: profile.insertion == .ownLabel ? 0 : labelEnd)
    }

    /// Checks the longest URI that can come out; the characters of a name are safe wherever they land.
    private func validateLongest(labelEnd: Int) throws(ProfileError) {
        let longest = self.positions.count + (self.profile.part?.characterCount ?? 0)
        if self.profile.insertion.isInHost {
            guard labelEnd + longest <= HostRules.largestLabel else { throw .labelTooLong(labelEnd + longest) }
            let length = self.prefix.count + longest + self.suffix.count
            guard length <= HostRules.largestHost else { throw .hostTooLong(length) }
        }
        let uri = self.uri(named: [UInt8](repeating: UInt8(ascii: "a"), count: longest))
        let text = UTF8Text(uri.text)
        guard (try? CoAPURI(parsing: text)) == uri else {
            throw text.bytes.count > 255 ? .uriTooLong(text.bytes.count) : .invalidURI
        }
    }

    /// The URI of a device in a window.
    ///
    /// - Parameters:
    ///   - secret: the pre-shared key or other credential that device and network share.
    ///   - endpoint: the endpoint name of the device.
    ///   - window: one of the profile's windows.
    ///   - hashes: the hash functions.
    /// - Throws: ``DerivationError``; for one secret and endpoint in every window or in none.
    public func uri(
        secret: SecretBytes,
        endpoint: UTF8Text,
        window: TimeWindow,
        hashes: HashFunctions
    ) throws(DerivationError) -> CoAPURI {
        try self.check(secret, endpoint)
        return self.uri(with: self.inserted(secret, endpoint, window, hashes))
    }

    /// The host of a device in a window, in lower case: that of ``uri(secret:endpoint:window:hashes:)``, for less work.
    public func host(
        secret: SecretBytes,
        endpoint: UTF8Text,
        window: TimeWindow,
        hashes: HashFunctions
    ) throws(DerivationError) -> UTF8Text {
        try self.check(secret, endpoint)
        guard self.profile.insertion.isInHost else { return self.staticURI.host }
        return self.inserted(secret, endpoint, window, hashes)
    }

    private func check(_ secret: SecretBytes, _ endpoint: UTF8Text) throws(DerivationError) {
        let least = self.profile.isTest ? 1 : BootstrapURIProfile.leastSecret
        guard secret.count >= least else { throw .weakSecret(secret.count) }
        guard endpoint.bytes.count <= Self.largestEndpoint else { throw .endpointTooLong(endpoint.bytes.count) }
    }

    func uri(named name: [UInt8]) -> CoAPURI {
        self.uri(with: UTF8Text(validating: self.prefix + name + self.suffix) ?? "")
    }

    private func uri(with inserted: UTF8Text) -> CoAPURI {
        var uri = self.staticURI
        switch self.profile.insertion {
        case .endOfFirstLabel, .startOfFirstLabel, .offsetInFirstLabel, .ownLabel: uri.host = inserted
        case .path: uri.path.append(inserted)
        case .query: uri.query.append(inserted)
        }
        return uri
    }
}
