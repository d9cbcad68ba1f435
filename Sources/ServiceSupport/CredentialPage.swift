internal import Foundation
import Primitives

/// A part of a server's credentials, in the order of the endpoint names: the body that answers `GET /credentials`.
///
/// A page that is shorter than was asked for is the last one.
public enum CredentialPage {
    /// The most credentials of a page.
    public static let maximumCount = 200
    /// The largest body of a page, in bytes.
    public static let maximumBodySize = 1 << 20
    /// The longest endpoint name that a query can go on from, in bytes: an option holds 255 with `after=`.
    public static let longestEndpoint = 249

    private struct Entry: Codable {
        var endpoint: String
        var identity: String
        var key: String
        var region: String?
        var `class`: String?
    }

    /// Reads a body.
    public static func decode(_ bytes: [UInt8]) throws(BalancerMessages.DecodingError) -> [Credential] {
        let entries = try BalancerMessages.decode([Entry].self, bytes, limit: Self.maximumBodySize)
        guard entries.count <= Self.maximumCount else { throw .outOfBounds }
        var credentials: [Credential] = []
        for entry in entries {
            let endpoint = try BalancerMessages.text(entry.endpoint, longest: Self.longestEndpoint)
            guard (1...255).contains(entry.identity.utf8.count), let key = Hexadecimal.decode(entry.key),
                (1...64).contains(key.count)
            else { throw .outOfBounds }
            credentials.append(
                Credential(
                    endpoint: endpoint,
                    identity: Array(entry.identity.utf8),
                    key: SecretBytes(key),
                    region: try Self.label(entry.region),
                    deviceClass: try Self.label(entry.class)
                )
            )
        }
        return credentials
    }

    /// The body of up to 200 credentials.
    public static func encode(_ credentials: [Credential]) -> [UInt8] {
        BalancerMessages.encode(
            credentials.map {
                Entry(
                    endpoint: $0.endpoint.string,
                    identity: String(decoding: $0.identity, as: UTF8.self),
                    key: Hexadecimal.encode($0.key.copyBytes()),
                    region: $0.region?.string,
                    class: $0.deviceClass?.string
                )
            }
        )
    }

    private static func label(_ text: String?) throws(BalancerMessages.DecodingError) -> UTF8Text? {
        guard let text else { return nil }
        return try BalancerMessages.text(text, longest: BalancerMessages.longestName)
    }
}
