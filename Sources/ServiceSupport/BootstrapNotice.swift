public import Primitives

/// One thing that happened to a bootstrap; an array of them is the body of `POST /notifications`.
public struct BootstrapNotice: Hashable, Sendable {
    /// What happened.
    public enum Event: String, Hashable, Sendable, Codable {
        case started
        case completed
        case failed
    }

    /// The device: 1 to 255 bytes.
    public var endpoint: UTF8Text
    /// The host that it asked for: 1 to 253 bytes.
    public var host: UTF8Text
    /// What happened.
    public var event: Event
    /// Names the bootstrap within its instance, also across restarts: 1 to 64 bytes.
    public var procedure: UTF8Text
    /// Grows with every notice of the instance's run.
    public var sequence: UInt64

    /// Creates a notice from its parts.
    public init(endpoint: UTF8Text, host: UTF8Text, event: Event, procedure: UTF8Text, sequence: UInt64) {
        self.endpoint = endpoint
        self.host = host
        self.event = event
        self.procedure = procedure
        self.sequence = sequence
    }

    private struct Body: Codable {
        var endpoint: String
        var host: String
        var event: Event
        var procedure: String
        var sequence: UInt64
    }

    /// Reads a body of 1 to 100 notices.
    public static func decode(_ bytes: [UInt8]) throws(BalancerMessages.DecodingError) -> [BootstrapNotice] {
        let bodies = try BalancerMessages.decode([Body].self, bytes)
        guard (1...BalancerMessages.maximumNotices).contains(bodies.count) else { throw .outOfBounds }
        var notices: [BootstrapNotice] = []
        for body in bodies {
            notices.append(
                BootstrapNotice(
                    endpoint: try BalancerMessages.text(body.endpoint, longest: BalancerMessages.longestEndpoint),
                    host: try BalancerMessages.text(body.host, longest: BalancerMessages.longestHost),
                    event: body.event,
                    procedure: try BalancerMessages.text(body.procedure, longest: BalancerMessages.longestName),
                    sequence: body.sequence
                )
            )
        }
        return notices
    }

    /// The body of up to 100 notices.
    public static func encode(_ notices: [BootstrapNotice]) -> [UInt8] {
        BalancerMessages.encode(
            notices.map {
                Body(
                    endpoint: $0.endpoint.string,
                    host: $0.host.string,
                    event: $0.event,
                    procedure: $0.procedure.string,
                    sequence: $0.sequence
                )
            }
        )
    }
}
