public import Primitives

/// Which endpoint name a peer may use, judged by the identity that its security proved.
///
/// - Source: LwM2M Core 1.2.2, clauses 6.1.7.1 and 6.2.1: a server checks the endpoint name against the identity.
public struct EndpointRule: Sendable {
    /// How a name is judged.
    public enum Matching: Hashable, Sendable {
        /// The identities of the table have their endpoint; any other identity is the endpoint's name itself.
        case strict
        /// Any name goes with any identity, as plain resource directories have it.
        case any
    }

    /// Why an endpoint name is refused.
    public enum Refusal: Error, Hashable, Sendable {
        /// No name was given and the identity implies none.
        case noName
        /// The identity belongs to another endpoint, or the endpoint needs an identity and the peer has none.
        case mismatch
    }

    private let matching: Matching
    private let endpoints: [[UInt8]: UTF8Text]
    private let secured: Set<UTF8Text>

    /// Creates a rule.
    ///
    /// - Parameters:
    ///   - matching: how names are judged.
    ///   - endpoints: the endpoint of each identity that differs from its endpoint's name.
    public init(_ matching: Matching = .strict, endpoints: [[UInt8]: UTF8Text] = [:]) {
        self.matching = matching
        self.endpoints = endpoints
        self.secured = Set(endpoints.values)
    }

    /// Decides under which name a peer goes.
    ///
    /// - Parameters:
    ///   - name: what the peer calls itself; nil when it leaves the name out.
    ///   - identity: what its security proved; nil without security.
    public func endpoint(named name: UTF8Text?, identity: [UInt8]?) throws(Refusal) -> UTF8Text {
        guard let identity else {
            guard let name else { throw .noName }
            guard self.matching == .any || !self.secured.contains(name) else { throw .mismatch }
            return name
        }
        let listed = self.endpoints[identity]
        guard let implied = listed ?? UTF8Text(validating: identity), !implied.isEmpty else {
            guard self.matching == .any, let name else { throw name == nil ? .noName : .mismatch }
            return name
        }
        guard let name else { return implied }
        guard self.matching == .strict else { return name }
        // A name of the table belongs to the identity of the table, not to one that merely spells it.
        guard name == implied, listed != nil || !self.secured.contains(name) else { throw .mismatch }
        return name
    }
}
