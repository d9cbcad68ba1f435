public import Primitives

/// A cipher suite with a pre-shared key that LwM2M names.
///
/// - Source: LwM2M Transport 1.2.2, clause 5.2.8; RFC 6655; RFC 5487.
public enum CipherSuite: Hashable, Sendable, CaseIterable {
    /// TLS_PSK_WITH_AES_128_CCM_8.
    case aes128CCM8
    /// TLS_PSK_WITH_AES_128_GCM_SHA256.
    case aes128GCMSHA256
    /// TLS_PSK_WITH_AES_128_CBC_SHA256.
    case aes128CBCSHA256
}

/// What a client proves itself with.
public struct PreSharedKey: Sendable {
    /// The identity sent to the server, 1 to 255 bytes.
    public var identity: [UInt8]
    /// The key, 1 to 64 bytes.
    public var key: SecretBytes

    /// Creates a pre-shared key from its identity and key.
    public init(identity: [UInt8], key: SecretBytes) {
        self.identity = identity
        self.key = key
    }
}

/// How a session that this side opens is protected.
public enum SessionSecurity: Sendable {
    /// `coap`: plain UDP.
    case none
    /// `coaps`: DTLS with a pre-shared key; `serverName` is sent as SNI when it is there.
    case preSharedKey(PreSharedKey, serverName: UTF8Text?)
}

/// How the sessions that a listening address accepts are protected.
public enum ListenerSecurity {
    /// `coap`: plain UDP.
    case none
    /// `coaps`: DTLS with pre-shared keys. `key` returns the key of an identity, or nil when it knows none;
    /// `hint` is sent to the client, and may be empty.
    case preSharedKey(hint: [UInt8], key: (_ identity: [UInt8]) -> SecretBytes?)
}
