internal import Foundation
internal import KeyDerivation
public import Primitives

/// Where a server finds the pre-shared key of an identity.
public enum DeviceKeys: Sendable {
    /// No key is known: only unsecured addresses make sense.
    case none
    /// One key for every identity.
    case shared(SecretBytes)
    /// A key of its own for every identity, derived from one secret.
    case derived(secret: SecretBytes)
    /// The identities of a table, and nobody else.
    case listed(CredentialTable)
    /// The identities of a table, and those of other keys besides.
    indirect case joined(CredentialTable, DeviceKeys)

    /// The key of an identity; nil when the server does not know it.
    public func key(of identity: [UInt8]) -> SecretBytes? {
        switch self {
        case .none: return nil
        case .shared(let key): return key
        case .derived(let secret):
            let key = PreSharedKeyDerivation.key(secret: secret, identity: identity)
            return key.isEmpty ? nil : key
        case .listed(let table): return table.credential(of: identity)?.key
        case .joined(let table, let others): return table.credential(of: identity)?.key ?? others.key(of: identity)
        }
    }

    private static let largestKeyFile = 4096

    /// Reads a key written in hexadecimal digits, or as `@FILE` the one in a file, which no list of processes shows.
    ///
    /// - Throws: a sentence for people that does not repeat the key.
    public static func readKey(_ text: String, option: String) throws(ServiceError) -> SecretBytes {
        try self.readKey(text) { option }
    }

    /// The same, for a place that is only named when something is wrong.
    static func readKey(_ text: String, _ place: () -> String) throws(ServiceError) -> SecretBytes {
        let digits = text.hasPrefix("@") ? try self.readFile(String(text.dropFirst()), option: place()) : text
        guard let bytes = Hexadecimal.decode(digits) else {
            throw ServiceError(
                "\(place()) is not hexadecimal",
                hint: "an even number of digits 0-9 and a-f, or @FILE; 'openssl rand -hex 16' makes a key"
            )
        }
        guard (1...64).contains(bytes.count) else {
            throw ServiceError("\(place()) has \(bytes.count) bytes", hint: "1 to 64 bytes, two digits each")
        }
        return SecretBytes(bytes)
    }

    private static func readFile(_ path: String, option: String) throws(ServiceError) -> String {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: self.largestKeyFile)
        else {
            throw ServiceError("the file of \(option), '\(path)', cannot be read", hint: "check its permissions")
        }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
