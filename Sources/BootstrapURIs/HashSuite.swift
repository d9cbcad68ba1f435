public import Primitives

/// The hash that makes the derivative.
///
/// - Source: RFC 6920, section 9.4 (Named Information Hash Algorithm Registry).
public enum HashSuite: UInt8, Hashable, Sendable, CaseIterable {
    /// HMAC-SHA-256 keyed by the secret; not in the registry, where 0 is reserved.
    case hmacSHA256 = 0
    /// SHA-256, 256 bits.
    case sha256 = 1
    /// SHA-256 truncated to 128 bits.
    case sha256_128 = 2
    /// SHA-256 truncated to 120 bits.
    case sha256_120 = 3
    /// SHA-256 truncated to 96 bits.
    case sha256_96 = 4
    /// SHA-256 truncated to 64 bits.
    case sha256_64 = 5
    /// SHA-256 truncated to 32 bits.
    case sha256_32 = 6

    /// The length of the derivative in bytes.
    public var byteCount: Int {
        switch self {
        case .hmacSHA256, .sha256: 32
        case .sha256_128: 16
        case .sha256_120: 15
        case .sha256_96: 12
        case .sha256_64: 8
        case .sha256_32: 4
        }
    }

    /// The name in the registry: `sha-256-128`; `hmac-sha-256` for the one that is not in it.
    public var name: UTF8Text {
        switch self {
        case .hmacSHA256: "hmac-sha-256"
        case .sha256: "sha-256"
        case .sha256_128: "sha-256-128"
        case .sha256_120: "sha-256-120"
        case .sha256_96: "sha-256-96"
        case .sha256_64: "sha-256-64"
        case .sha256_32: "sha-256-32"
        }
    }
}
