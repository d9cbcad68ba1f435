import BalancerEngine
import Primitives
import ServiceSupport

/// The devices that the balancer knows, and what of them its engine was not told yet.
struct DeviceDirectory {
    /// What the engine is told of a changed list.
    struct Difference {
        var added: [Credential] = []
        var removed: [UTF8Text] = []

        var isEmpty: Bool { self.added.isEmpty && self.removed.isEmpty }
    }

    private static let sliceSize = 10_000

    private let derived: (secret: SecretBytes, count: Int, endpoint: @Sendable (Int) -> UTF8Text)?
    private var byEndpoint: [UTF8Text: Credential] = [:]
    private var endpoints: [[UInt8]: UTF8Text] = [:]
    private var waiting: [Credential] = []
    private var nextWaiting = 0
    private var nextDerived = 0

    init(_ secrets: DeviceSecrets) {
        if case .derived(let secret, let count, let endpoint) = secrets {
            self.derived = (secret, count, endpoint)
        } else {
            self.derived = nil
        }
    }

    /// How many devices there are.
    var count: Int { self.derived?.count ?? self.byEndpoint.count }

    /// How many devices the engine is still to be told of.
    var left: Int {
        (self.waiting.count - self.nextWaiting) + ((self.derived?.count ?? 0) - self.nextDerived)
    }

    /// The next devices to tell the engine of; nil when it knows all.
    mutating func nextSlice() -> [BalancerDevice]? {
        if let derived = self.derived, self.nextDerived < derived.count {
            let range = self.nextDerived..<min(self.nextDerived + Self.sliceSize, derived.count)
            self.nextDerived = range.upperBound
            let keys = DeviceKeys.derived(secret: derived.secret)
            return range.compactMap { index in
                let endpoint = derived.endpoint(index)
                return keys.key(of: endpoint.bytes).map { BalancerDevice(endpoint: endpoint, secret: $0) }
            }
        }
        guard self.nextWaiting < self.waiting.count else {
            self.waiting = []
            self.nextWaiting = 0
            return nil
        }
        let slice = self.waiting[self.nextWaiting...].prefix(Self.sliceSize)
        self.nextWaiting += slice.count
        return slice.map {
            BalancerDevice(
                endpoint: $0.endpoint,
                secret: $0.key,
                region: $0.region,
                deviceClass: $0.deviceClass
            )
        }
    }

    /// Takes over a whole list; what is new in it waits for ``nextSlice()``.
    ///
    /// - Returns: what is different now; its removed devices must be told to the engine before the next slice.
    mutating func replace(with credentials: [Credential]) -> Difference {
        var difference = Difference()
        var before = self.byEndpoint
        self.byEndpoint = [:]
        self.byEndpoint.reserveCapacity(credentials.count)
        self.endpoints = [:]
        self.endpoints.reserveCapacity(credentials.count)
        for credential in credentials {
            let known = before.removeValue(forKey: credential.endpoint)
            if known.map({ !Self.isSame($0, credential) }) ?? true { difference.added.append(credential) }
            self.byEndpoint[credential.endpoint] = credential
            self.endpoints[credential.identity] = credential.endpoint
        }
        difference.removed = Array(before.keys)
        let gone = Set(difference.removed).union(difference.added.map(\.endpoint))
        self.waiting = self.waiting[self.nextWaiting...].filter { !gone.contains($0.endpoint) } + difference.added
        self.nextWaiting = 0
        return difference
    }

    private static func isSame(_ one: Credential, _ other: Credential) -> Bool {
        one.identity == other.identity && one.key == other.key && one.region == other.region
            && one.deviceClass == other.deviceClass
    }

    // MARK: Devices that come to the balancer itself

    /// The key of a device's identity; nil when it is not known.
    func key(of identity: [UInt8]) -> SecretBytes? {
        if let derived = self.derived { return DeviceKeys.derived(secret: derived.secret).key(of: identity) }
        return self.endpoints[identity].flatMap { self.byEndpoint[$0]?.key }
    }

    /// The endpoint that an identity may use; nil when it calls itself otherwise.
    func endpoint(named name: UTF8Text?, identity: [UInt8]) -> UTF8Text? {
        let implied = self.derived == nil ? self.endpoints[identity] : UTF8Text(validating: identity)
        guard let implied else { return nil }
        return name == nil || name == implied ? implied : nil
    }
}
