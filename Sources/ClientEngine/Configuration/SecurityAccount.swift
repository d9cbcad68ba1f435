public import Primitives

/// How a session with a server is secured: resource 2 of the Security object.
///
/// - Source: LwM2M Core 1.2.2, appendix E.1.
public enum SecurityMode: UInt8, Hashable, Sendable {
    /// DTLS or TLS with a pre-shared key.
    case preSharedKey = 0
    /// DTLS or TLS with raw public keys.
    case rawPublicKey = 1
    /// DTLS or TLS with certificates.
    case certificate = 2
    /// No security.
    case noSecurity = 3
    /// Certificates enrolled over a secure transport.
    case certificateWithEnrollment = 4
}

/// One instance of the Security object (0): how to reach one server.
///
/// Only bootstrap reads or writes it; no server ever sees it again.
/// - Source: LwM2M Core 1.2.2, appendix E.1.
public struct SecurityAccount: Equatable, Sendable {
    /// The identifier of the instance.
    public let instance: UInt16
    /// Resource 0; `coaps://example.com:5684`, at most 255 bytes.
    public var serverURI: UTF8Text
    /// Resource 1: whether the server is a bootstrap server.
    public var isBootstrap: Bool
    /// Resource 2.
    public var mode: SecurityMode
    /// Resource 3: the PSK identity, or a certificate or public key.
    public var identity: [UInt8]
    /// Resource 4: the server's public key or certificate.
    public var serverPublicKey: [UInt8]
    /// Resource 5: the pre-shared or private key.
    public var key: SecretBytes
    /// Resource 10: links the account to its Server object; 1 to 65534.
    public var shortServerID: UInt16?
    /// Resource 11, in seconds: how long to wait before a Bootstrap-Request.
    public var holdOff: UInt32
    /// Resource 12, in seconds: how long after Finish the bootstrap account is removed; nil or 0 keeps it.
    public var bootstrapAccountTimeout: UInt32?

    /// Creates an account; without identity and key it is one without security.
    public init(
        instance: UInt16,
        serverURI: UTF8Text,
        isBootstrap: Bool = false,
        mode: SecurityMode = .noSecurity,
        identity: [UInt8] = [],
        serverPublicKey: [UInt8] = [],
        key: SecretBytes = SecretBytes([]),
        shortServerID: UInt16? = nil,
        holdOff: UInt32 = 0,
        bootstrapAccountTimeout: UInt32? = nil
    ) {
        self.instance = instance
        self.serverURI = serverURI
        self.isBootstrap = isBootstrap
        self.mode = mode
        self.identity = identity
        self.serverPublicKey = serverPublicKey
        self.key = key
        self.shortServerID = shortServerID
        self.holdOff = holdOff
        self.bootstrapAccountTimeout = bootstrapAccountTimeout
    }
}

#if !hasFeature(Embedded)
    extension SecurityAccount: CustomStringConvertible, CustomReflectable {
        /// Which server it is for; neither the identity nor the key.
        public var description: String { "account of \(self.serverURI)" }

        /// An empty mirror, so that dumping an enclosing value shows nothing.
        public var customMirror: Mirror { Mirror(self, children: []) }
    }
#endif
