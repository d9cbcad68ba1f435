public import Primitives

/// The hash that turns the input into the derivative.
///
/// - Source: RFC 6920, section 9.4 for the SHA-256 family and its truncations; RFC 2104 for the keyed one.
public enum HashSuite: Hashable, CaseIterable, Sendable {
    /// HMAC-SHA-256 keyed by the secret.
    case hmacSHA256
    /// SHA-256, all 256 bits.
    case sha256
    /// The first 128 bits of SHA-256.
    case sha256First128
    /// The first 120 bits of SHA-256.
    case sha256First120
    /// The first 96 bits of SHA-256.
    case sha256First96
    /// The first 64 bits of SHA-256.
    case sha256First64
    /// The first 32 bits of SHA-256.
    case sha256First32

    /// The name in the registry of RFC 6920, or `"hmac-sha-256"`, which has no entry there.
    public var name: UTF8Text {
        switch self {
        case .hmacSHA256: "hmac-sha-256"
        case .sha256: "sha-256"
        case .sha256First128: "sha-256-128"
        case .sha256First120: "sha-256-120"
        case .sha256First96: "sha-256-96"
        case .sha256First64: "sha-256-64"
        case .sha256First32: "sha-256-32"
        }
    }

    /// How many bytes a derivative has.
    public var byteCount: Int {
        switch self {
        case .hmacSHA256, .sha256: 32
        case .sha256First128: 16
        case .sha256First120: 15
        case .sha256First96: 12
        case .sha256First64: 8
        case .sha256First32: 4
        }
    }

    /// How many bits a derivative has.
    public var bitCount: Int { self.byteCount * 8 }

    /// The derivative as a named information URI without an authority; nil for the keyed suite, which has no name there.
    ///
    /// - Parameter derivative: as many bytes as the suite has.
    /// - Source: RFC 6920, section 3: `ni:///sha-256;` and base64url without padding.
    public func namedInformation(_ derivative: [UInt8]) -> UTF8Text? {
        guard self != .hmacSHA256, derivative.count == self.byteCount else { return nil }
        var bytes = Array("ni:///".utf8) + self.name.bytes
        bytes.append(Ascii.semicolon)
        bytes += NameAlphabet.base64URL.text(of: derivative)
        return UTF8Text(validating: bytes)
    }
}
