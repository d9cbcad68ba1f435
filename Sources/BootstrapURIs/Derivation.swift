public import CoAPMessages
public import Primitives

/// The steps of one derivation, without the secret and without what would give it away.
public struct Derivation: Hashable, Sendable {
    /// The window; nil when the profile uses no time.
    public var window: TimeWindow?
    /// The parameters in the profile's order, as they went into the combination; the random variable is left out.
    public var parameters: [(BootstrapURIProfile.Parameter, [UInt8])] { self.named.map { ($0.parameter, $0.bytes) } }
    /// The hash of the input.
    public var derivative: [UInt8]
    /// The derivative in the profile's alphabet.
    public var text: UTF8Text
    /// What of the text goes into the URI.
    public var selection: UTF8Text
    /// The part of the endpoint's name that stands before it; empty for none.
    public var endpointPart: UTF8Text
    /// The temporary URI.
    public var uri: CoAPURI

    struct Named: Hashable, Sendable {
        var parameter: BootstrapURIProfile.Parameter
        var bytes: [UInt8]
    }

    var named: [Named]
}
