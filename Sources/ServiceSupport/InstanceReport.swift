public import Primitives

/// What an instance says of itself: the body of `POST /instances`.
public struct InstanceReport: Hashable, Sendable {
    /// Its name, which is its DTLS identity at the balancer: 1 to 64 bytes.
    public var name: UTF8Text
    /// Where devices reach it: 1 to 8 addresses.
    public var addresses: [IPAddress]
    /// Its share of the names beside others: 1 to 1,000.
    public var weight: Int
    /// Where it stands; nil when that does not matter.
    public var region: UTF8Text?
    /// The classes of devices it is for, at most 32; empty for all.
    public var classes: [UTF8Text]
    /// How many bootstraps are in progress there now; not negative.
    public var inProgress: Int
    /// Whether the instance has just begun, and has lost what was in progress when it ended before.
    public var isFirst: Bool

    /// Creates a report from its parts.
    public init(
        name: UTF8Text,
        addresses: [IPAddress],
        weight: Int = 1,
        region: UTF8Text? = nil,
        classes: [UTF8Text] = [],
        inProgress: Int = 0,
        isFirst: Bool = false
    ) {
        self.name = name
        self.addresses = addresses
        self.weight = weight
        self.region = region
        self.classes = classes
        self.inProgress = inProgress
        self.isFirst = isFirst
    }

    private struct Body: Codable {
        var name: String
        var addresses: [String]
        var weight: Int?
        var region: String?
        var classes: [String]?
        var inProgress: Int?
        var isFirst: Bool?
    }

    /// Reads a body.
    public init(decoding bytes: [UInt8]) throws(BalancerMessages.DecodingError) {
        let body = try BalancerMessages.decode(Body.self, bytes)
        let classes = body.classes ?? []
        guard (1...BalancerMessages.maximumAddresses).contains(body.addresses.count),
            classes.count <= BalancerMessages.maximumClasses, (1...1000).contains(body.weight ?? 1),
            (0...Int(Int32.max)).contains(body.inProgress ?? 0)
        else { throw .outOfBounds }
        var addresses: [IPAddress] = []
        for text in body.addresses {
            guard let address = IPAddress(written: text) else { throw .outOfBounds }
            addresses.append(address)
        }
        var names: [UTF8Text] = []
        for name in classes { names.append(try BalancerMessages.text(name, longest: BalancerMessages.longestName)) }
        self.init(
            name: try BalancerMessages.text(body.name, longest: BalancerMessages.longestName),
            addresses: addresses,
            weight: body.weight ?? 1,
            region: try body.region.map { text throws(BalancerMessages.DecodingError) in
                try BalancerMessages.text(text, longest: BalancerMessages.longestName)
            },
            classes: names,
            inProgress: body.inProgress ?? 0,
            isFirst: body.isFirst ?? false
        )
    }

    /// The body of the report.
    public func encoded() -> [UInt8] {
        BalancerMessages.encode(
            Body(
                name: self.name.string,
                addresses: self.addresses.map(\.written),
                weight: self.weight,
                region: self.region?.string,
                classes: self.classes.map(\.string),
                inProgress: self.inProgress,
                isFirst: self.isFirst ? true : nil
            )
        )
    }
}

/// What the balancer answers to a report: the body of 2.04.
public struct InstanceReportAnswer: Hashable, Sendable {
    /// In how many seconds to report again, 1 to 3,600; an instance that misses three is taken for lost.
    public var interval: Int

    /// Creates an answer.
    public init(interval: Int) {
        self.interval = interval
    }

    private struct Body: Codable {
        var interval: Int
    }

    /// Reads a body.
    public init(decoding bytes: [UInt8]) throws(BalancerMessages.DecodingError) {
        let body = try BalancerMessages.decode(Body.self, bytes)
        guard (1...3600).contains(body.interval) else { throw .outOfBounds }
        self.init(interval: body.interval)
    }

    /// The body of the answer.
    public func encoded() -> [UInt8] { BalancerMessages.encode(Body(interval: self.interval)) }
}
