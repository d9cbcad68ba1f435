public import Primitives

extension IPAddress {
    /// Reads `127.0.0.1` or `2001:db8::1`, without brackets and port.
    ///
    /// - Returns: nil when the text is no such address.
    public init?(written text: String) {
        guard !text.hasPrefix("[") else { return nil }
        self.init(parsing: UTF8Text(text))
    }

    /// The address as people write it, without brackets and port.
    public var written: String { self.text.string }
}
