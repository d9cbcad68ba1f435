public import CoAPMessages
public import Primitives

/// Every step from parameters to URI; the secret is in none of them.
///
/// The name of a live window is in the last steps: this is for tools and tests, not for logs.
public struct Derivation: Hashable, Sendable {
    /// A parameter as it went into the derivation.
    public struct Parameter: Hashable, Sendable {
        /// Which one.
        public let parameter: DerivationParameter
        /// Its bytes.
        public let bytes: [UInt8]
    }

    /// The window.
    public let window: TimeWindow
    /// The parameters in their order.
    public let parameters: [Parameter]
    /// What the HMAC of the combination is taken over; nil for the other combinations, whose input holds the secret.
    public let message: [UInt8]?
    /// How many bytes went into the hash of the suite, the secret's among them.
    public let inputByteCount: Int
    /// What the hash gave, as many bytes as the suite has.
    public let derivative: [UInt8]
    /// The `ni:` form of the derivative; nil when the suite has no name in the registry of RFC 6920.
    public let namedInformation: UTF8Text?
    /// The derivative in the alphabet.
    public let text: UTF8Text
    /// The characters that survived.
    public let selected: UTF8Text
    /// The part of a parameter beside them; empty when there is none.
    public let part: UTF8Text
    /// What goes into the static URI.
    public let name: UTF8Text
    /// The URI.
    public let uri: CoAPURI
}
