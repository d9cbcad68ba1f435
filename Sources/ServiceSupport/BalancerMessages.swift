internal import Foundation
import Primitives

/// What bootstrap server instances and their balancer tell one another: JSON bodies of bounded size.
///
/// Each message is read with ``InstanceReport/init(decoding:)`` and its siblings, which take any bytes, and written
/// with `encoded()`.
public enum BalancerMessages {
    /// The largest body of a request, in bytes.
    public static let maximumBodySize = 1 << 16
    /// The most notices in one body.
    public static let maximumNotices = 100
    /// The most addresses of an instance.
    public static let maximumAddresses = 8
    /// The most classes of an instance.
    public static let maximumClasses = 32
    /// The longest name of an instance, region, class or procedure, in bytes.
    public static let longestName = 64
    /// The longest endpoint name, in bytes.
    public static let longestEndpoint = 255
    /// The longest host, in bytes.
    public static let longestHost = 253

    /// Why a body is no message.
    public enum DecodingError: Error, Hashable, Sendable {
        /// More bytes than ``maximumBodySize``.
        case tooLarge
        /// Not JSON, or not of the right members and types.
        case malformed
        /// A number, text or list is outside its bounds.
        case outOfBounds
    }

    static func decode<Value: Decodable>(
        _ type: Value.Type,
        _ bytes: [UInt8],
        limit: Int = BalancerMessages.maximumBodySize
    ) throws(DecodingError) -> Value {
        guard bytes.count <= limit else { throw .tooLarge }
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch { throw .malformed }
    }

    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { Array($0) } ?? []
    }

    static func text(_ string: String, longest: Int) throws(DecodingError) -> UTF8Text {
        let text = UTF8Text(string)
        guard (1...longest).contains(text.bytes.count) else { throw .outOfBounds }
        return text
    }
}
