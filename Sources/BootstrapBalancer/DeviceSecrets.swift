public import CoAPMessages
public import Primitives
import ServiceSupport

/// Where a balancer has the devices and their secrets from.
public enum DeviceSecrets: Sendable {
    /// A file of credentials, read at the start and when an operator asks; the key is the secret.
    case file(path: String)
    /// Numbered devices with keys derived from one secret, as ``DeviceKeys/derived(secret:)`` has them; the endpoint
    /// name is the identity.
    case derived(secret: SecretBytes, count: Int, endpoint: @Sendable (_ index: Int) -> UTF8Text)
    /// A server that hands out credentials, asked at the start, every interval, and when an operator asks.
    case server(CredentialsSource)
}

/// A server that hands out the devices' credentials at `/credentials`, over DTLS.
public struct CredentialsSource: Sendable {
    /// Its address; the scheme is `coaps`.
    public var uri: CoAPURI
    /// As whom the balancer reads.
    public var identity: [UInt8]
    /// The key of the identity.
    public var key: SecretBytes
    /// How often everything is read anew; at least a second.
    public var interval: Duration = .seconds(3600)
    /// The most devices; a server that lists more is not believed.
    public var maximumDevices = 4_000_000

    /// Creates a source from its parts.
    public init(uri: CoAPURI, identity: [UInt8], key: SecretBytes) {
        self.uri = uri
        self.identity = identity
        self.key = key
    }
}
