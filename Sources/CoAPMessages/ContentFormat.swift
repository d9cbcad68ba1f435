/// The number of a payload's media type and encoding.
///
/// - Source: IANA CoAP Content-Formats registry; LwM2M Transport 1.2.2, clause 6.4.
public struct ContentFormat: Hashable, Sendable {
    /// The number, as in the Content-Format and Accept options.
    public let rawValue: UInt16

    /// Creates a format from its registered number.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// `text/plain;charset=utf-8`, 0.
    public static let text = ContentFormat(rawValue: 0)
    /// `application/link-format`, 40.
    public static let linkFormat = ContentFormat(rawValue: 40)
    /// `application/octet-stream`, 42.
    public static let opaque = ContentFormat(rawValue: 42)
    /// `application/json`, 50.
    public static let json = ContentFormat(rawValue: 50)
    /// `application/cbor`, 60.
    public static let cbor = ContentFormat(rawValue: 60)
    /// `application/senml+json`, 110.
    public static let senMLJSON = ContentFormat(rawValue: 110)
    /// `application/senml+cbor`, 112.
    public static let senMLCBOR = ContentFormat(rawValue: 112)
    /// `application/vnd.oma.lwm2m+tlv`, 11542.
    public static let tlv = ContentFormat(rawValue: 11_542)
}
