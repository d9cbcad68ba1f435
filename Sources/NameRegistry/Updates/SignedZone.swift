internal import CoAPTransport
internal import Primitives

/// A zone, its server and the key that signs what is sent there: the configuration, checked.
struct SignedZone: Sendable {
    let server: SocketAddress
    let name: DomainName
    /// Where the epoch stands.
    let epochName: DomainName
    let keyName: DomainName
    /// The key's name as text with a zero behind it, for the library.
    let keyNameText: [CChar]
    /// The key's base64 text with a zero behind it, for the library.
    let key: SecretBytes
    let timeout: Duration
    let maximumNames: Int

    init(_ configuration: DynamicUpdateRegistry.Configuration) throws(RegistrySetupError) {
        guard let name = DomainName(configuration.zone), let epochName = name.prefixed(by: "_epoch") else {
            throw .invalidZone
        }
        guard let keyName = DomainName(configuration.keyName) else { throw .invalidKeyName }
        guard !configuration.key.isEmpty else { throw .invalidKey }
        self.server = configuration.server
        self.name = name
        self.epochName = epochName
        self.keyName = keyName
        self.keyNameText = (keyName.text.bytes + [Ascii.dot, 0]).map { CChar(bitPattern: $0) }
        self.key = SignedZone.base64(of: configuration.key)
        self.timeout = max(.milliseconds(10), min(configuration.timeout, .seconds(300)))
        self.maximumNames = configuration.maximumNames
    }

    /// The text of a key as the library takes it, kept as a secret too.
    ///
    /// - Source: RFC 4648, section 4.
    private static func base64(of key: SecretBytes) -> SecretBytes {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        // Room for all of it at once: growing would leave copies behind.
        text.reserveCapacity((key.count + 2) / 3 * 4 + 1)
        key.withBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let count = min(3, bytes.count - start)
                var group: UInt32 = 0
                for offset in 0..<3 { group = group << 8 | (offset < count ? UInt32(bytes[start + offset]) : 0) }
                for position in 0..<4 {
                    text.append(position <= count ? digits[Int(group >> UInt32(18 - 6 * position) & 63)] : Ascii.equals)
                }
            }
        }
        text.append(0)
        let secret = SecretBytes(text)
        text.withUnsafeMutableBytes { bytes in
            for index in bytes.indices { bytes[index] = 0 }
        }
        return secret
    }
}
