public import CoAPMessages
public import Primitives

/// A profile bound to a static URI: derives the temporary URIs of any device.
///
/// What can be wrong is found when it is made; deriving fails only over a device's own secret or name.
public struct TemporaryURIs: Hashable, Sendable {
    /// The profile.
    public let profile: BootstrapURIProfile
    /// The URI that temporary ones are made from.
    public let staticURI: CoAPURI

    static let label: [UInt8] = Array("starling bootstrap uri 1".utf8)
    static let smallestSecret = 16
    static let longestHost = 253
    static let longestURI = 255

    /// Binds a profile to a static URI.
    ///
    /// - Throws: ``ProfileError`` when some derivation could give no valid URI.
    public init(profile: BootstrapURIProfile, staticURI: CoAPURI) throws(ProfileError) {
        try profile.validate()
        self.profile = profile
        self.staticURI = staticURI
        try self.validate()
    }

    /// Derives the temporary URI of a device.
    ///
    /// - Parameters:
    ///   - secret: what device and network share, at least 16 bytes unless the profile is a test.
    ///   - endpoint: the device's endpoint client name.
    ///   - window: one of the profile's; it does not matter when the profile uses no time.
    ///   - hashes: `.libCrypto`.
    public func uri(
        secret: SecretBytes,
        endpoint: UTF8Text,
        window: TimeWindow,
        hashes: HashFunctions
    ) throws(DerivationError) -> CoAPURI {
        try self.derivation(secret: secret, endpoint: endpoint, window: window, hashes: hashes).uri
    }

    /// Derives and keeps every step.
    public func derivation(
        secret: SecretBytes,
        endpoint: UTF8Text,
        window: TimeWindow,
        hashes: HashFunctions
    ) throws(DerivationError) -> Derivation {
        guard secret.count >= Self.smallestSecret || self.profile.isTest && !secret.isEmpty else { throw .weakSecret }
        guard !endpoint.isEmpty || !self.profile.parameters.contains(.endpoint) else { throw .endpointTooShort }
        let named = self.namedParameters(secret: secret, endpoint: endpoint, window: window, hashes: hashes)
        let derivative = self.derivative(secret: secret, named: named, hashes: hashes)
        let text = self.profile.alphabet.encode(derivative)
        let selection = self.profile.selection.characters(of: text)
        let part = try self.profile.endpointPart?.bytes(of: endpoint) ?? []
        let uri = try self.insert(part + selection)
        guard let textValue = UTF8Text(validating: text), let selectionValue = UTF8Text(validating: selection),
            let partValue = UTF8Text(validating: part)
        else { throw .endpointNotInsertable }
        return Derivation(
            window: self.profile.usesTime ? window : nil,
            derivative: derivative,
            text: textValue,
            selection: selectionValue,
            endpointPart: partValue,
            uri: uri,
            named: named.filter { $0.parameter != .random }
        )
    }

    // MARK: Steps

    private func namedParameters(
        secret: SecretBytes,
        endpoint: UTF8Text,
        window: TimeWindow,
        hashes: HashFunctions
    ) -> [Derivation.Named] {
        self.profile.parameters.map { parameter in
            switch parameter {
            case .endpoint: return Derivation.Named(parameter: parameter, bytes: endpoint.bytes)
            case .time: return Derivation.Named(parameter: parameter, bytes: self.stampBytes(window.stamp))
            case .random:
                var writer = ByteWriter(capacity: 10)
                writer.write(Array("rv".utf8))
                writer.write(self.profile.counter ?? 0, byteCount: 8)
                return Derivation.Named(parameter: parameter, bytes: hashes.hmacSHA256(secret, writer.bytes))
            }
        }
    }

    private func stampBytes(_ stamp: Int64) -> [UInt8] {
        switch self.profile.timeFormat {
        case .binary:
            var writer = ByteWriter(capacity: 8)
            writer.write(UInt64(bitPattern: stamp), byteCount: 8)
            return writer.bytes
        case .decimal:
            var digits: [UInt8] = []
            var rest = stamp.magnitude
            repeat {
                digits.append(Ascii.zero + UInt8(rest % 10))
                rest /= 10
            } while rest > 0
            if stamp < 0 { digits.append(Ascii.hyphen) }
            return digits.reversed()
        }
    }

    private func derivative(secret: SecretBytes, named: [Derivation.Named], hashes: HashFunctions) -> [UInt8] {
        let suite = self.profile.suite
        let input: [UInt8]
        switch self.profile.combination {
        case .hmac:
            var writer = ByteWriter(capacity: 64)
            writer.write(Self.label)
            for (parameter, bytes) in named.map({ ($0.parameter, $0.bytes) }) {
                writer.write(parameter.rawValue + 1)
                writer.write(UInt64(bytes.count), byteCount: 2)
                writer.write(bytes)
            }
            let code = hashes.hmacSHA256(secret, writer.bytes)
            // The code is keyed by the secret already; keying it again would add nothing.
            if suite == .hmacSHA256 { return code }
            input = code
        case .concatenation:
            input = secret.copyBytes() + named.flatMap { $0.bytes }
        case .insertion(let offset):
            let parameters = named.flatMap { $0.bytes }
            let place = min(Int(offset), parameters.count)
            input = parameters[..<place] + secret.copyBytes() + parameters[place...]
        }
        let digest = suite == .hmacSHA256 ? hashes.hmacSHA256(secret, input) : hashes.sha256(input)
        return Array(digest.prefix(suite.byteCount))
    }

    // MARK: Insertion

    func insert(_ characters: [UInt8]) throws(DerivationError) -> CoAPURI {
        var uri = self.staticURI
        let host = self.staticURI.host.bytes
        let labelEnd = host.firstIndex(of: Ascii.dot) ?? host.count
        let place: Int
        switch self.profile.insertion {
        case .labelEnd: place = labelEnd
        case .labelStart: place = 0
        case .labelOffset(let offset): place = min(Int(offset), labelEnd)
        case .ownLabel: return try self.withHost(characters + [Ascii.dot] + host)
        case .path, .query:
            guard let text = UTF8Text(validating: characters) else { throw .endpointNotInsertable }
            if case .path = self.profile.insertion { uri.path.append(text) } else { uri.query.append(text) }
            return uri
        }
        return try self.withHost(Array(host[..<place]) + characters + Array(host[place...]))
    }

    private func withHost(_ host: [UInt8]) throws(DerivationError) -> CoAPURI {
        let lower = host.map { Ascii.lowercased($0) }
        guard Self.isHost(lower), let text = UTF8Text(validating: lower) else { throw .invalidResult }
        var uri = self.staticURI
        uri.host = text
        return uri
    }

    /// Whether a name is one or more labels of 1 to 63 letters, digits and inner hyphens, at most 253 in all.
    ///
    /// - Source: RFC 1123, section 2.1; RFC 1035, section 2.3.4.
    static func isHost(_ host: [UInt8]) -> Bool {
        guard !host.isEmpty, host.count <= Self.longestHost else { return false }
        return host.split(separator: Ascii.dot, omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count) && label.first != Ascii.hyphen && label.last != Ascii.hyphen
                && label.allSatisfy { Ascii.isDigit($0) || Ascii.isLetter($0) || $0 == Ascii.hyphen }
        }
    }

    private func validate() throws(ProfileError) {
        let host = self.staticURI.host.bytes
        guard !host.contains(Ascii.colon), !host.allSatisfy({ Ascii.isDigit($0) || $0 == Ascii.dot }) else {
            throw .hostIsAddress
        }
        guard Self.isHost(host) else { throw .invalidHost }
        let selected =
            self.profile.selection.count(of: self.profile.textLength) + (self.profile.endpointPart?.count ?? 0)
        if case .labelOffset(let offset) = self.profile.insertion {
            guard Int(offset) <= host.firstIndex(of: Ascii.dot) ?? host.count else { throw .invalidOffset }
        }
        // The length does not depend on the device, so one URI stands for all.
        let sample = [UInt8](repeating: 0x61, count: selected)
        switch self.profile.insertion {
        case .path, .query: break
        case .labelEnd, .labelStart, .labelOffset, .ownLabel:
            guard self.profile.alphabet != .base64URL else { throw .caseSensitiveHost }
            let first = host.firstIndex(of: Ascii.dot) ?? host.count
            let label = self.profile.insertion == .ownLabel ? selected : first + selected
            guard label <= 63 else { throw .labelTooLong }
        }
        do {
            guard try self.insert(sample).text.utf8.count <= Self.longestURI else { throw ProfileError.tooLong }
        } catch {
            throw .tooLong
        }
    }
}
