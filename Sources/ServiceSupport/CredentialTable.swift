public import LwM2MModel
public import Primitives

/// What a server knows of one device: its name, the identity it shows and its key.
public struct Credential: Sendable {
    /// The endpoint name.
    public var endpoint: UTF8Text
    /// The DTLS identity.
    public var identity: [UInt8]
    /// The key of the identity.
    public var key: SecretBytes
    /// Where the device is, 1 to 64 bytes; nil when that is not known.
    public var region: UTF8Text?
    /// What kind of device it is, 1 to 64 bytes; nil when that is not known.
    public var deviceClass: UTF8Text?

    /// Creates a credential from its parts.
    public init(
        endpoint: UTF8Text,
        identity: [UInt8],
        key: SecretBytes,
        region: UTF8Text? = nil,
        deviceClass: UTF8Text? = nil
    ) {
        self.endpoint = endpoint
        self.identity = identity
        self.key = key
        self.region = region
        self.deviceClass = deviceClass
    }
}

/// The credentials of many devices, found by identity.
///
/// ``CredentialFile`` says how a file holds them.
public struct CredentialTable: Sendable {
    private var byIdentity: [[UInt8]: Credential] = [:]
    private var identities: [UTF8Text: [UInt8]] = [:]

    /// Creates a table.
    ///
    /// - Throws: when two devices have one identity, or one endpoint two identities.
    public init(_ credentials: [Credential]) throws(ServiceError) {
        self.byIdentity.reserveCapacity(credentials.count)
        self.identities.reserveCapacity(credentials.count)
        for credential in credentials {
            guard self.byIdentity.updateValue(credential, forKey: credential.identity) == nil else {
                throw ServiceError(
                    "the identity of endpoint '\(credential.endpoint)' belongs to another endpoint too",
                    hint: "each device needs an identity of its own"
                )
            }
            guard self.identities.updateValue(credential.identity, forKey: credential.endpoint) == nil else {
                throw ServiceError(
                    "endpoint '\(credential.endpoint)' stands twice in the credentials",
                    hint: "remove one of the lines"
                )
            }
        }
    }

    /// Reads a file, JSON when it begins like JSON and lines otherwise.
    public init(contentsOf path: String) throws(ServiceError) {
        try self.init(CredentialFile.read(path))
    }

    /// How many devices the table holds.
    public var count: Int { self.byIdentity.count }

    /// The credential of an identity.
    public func credential(of identity: [UInt8]) -> Credential? { self.byIdentity[identity] }

    /// The credential of an endpoint.
    public func credential(ofEndpoint endpoint: UTF8Text) -> Credential? {
        self.identities[endpoint].flatMap { self.byIdentity[$0] }
    }

    /// Every credential, in no order.
    public var all: [Credential] { Array(self.byIdentity.values) }

    /// The rule that ties every identity of the table to its endpoint.
    public var endpointRule: EndpointRule {
        EndpointRule(.strict, endpoints: self.byIdentity.mapValues(\.endpoint))
    }
}
