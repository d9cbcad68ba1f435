public import Primitives

/// Why a profile, or a profile together with a static URI, cannot be used.
public enum ProfileError: Error, Hashable, Sendable {
    /// The value of a field or resource is none that it may have.
    case invalid(ProfileField)
    /// A field or resource is there twice.
    case repeated(ProfileField)
    /// No field has the name; its first 32 bytes.
    case unknownField(UTF8Text)
    /// An entry of the text is no `name=value`; which, counted from 0.
    case malformedEntry(at: Int)
    /// A record is none of the profile's object, or none of the instance's resources.
    case unknownRecord
    /// The text or the list of records is longer than any profile.
    case tooLong
    /// The random variable is a parameter and there is no counter for it, or the other way round.
    case counterMismatch
    /// A part of a parameter is to stand beside the name that is no parameter of the derivation.
    case partOfUnusedParameter
    /// The alphabet has characters that a host may not have.
    case alphabetNotForHosts
    /// The name tells fewer bits than a profile that says nothing about collisions must have.
    case tooFewBits(Int)
    /// The name goes into the host, and the static URI has an address there.
    case hostIsAddress
    /// The static URI's host is no host name: labels of 1 to 63 of a-z 0-9 -, no hyphen first or last, at most 253.
    case invalidHost
    /// The offset lies behind the first label of the static URI.
    case offsetBehindLabel
    /// The label with the name would have so many characters, more than 63.
    case labelTooLong(Int)
    /// The host would have so many characters, more than 253.
    case hostTooLong(Int)
    /// The URI would have so many characters, more than the 255 that a Security object holds.
    case uriTooLong(Int)
    /// The parts of the static URI do not make a URI.
    case invalidURI
}

/// Why a name cannot be derived for a device.
public enum DerivationError: Error, Hashable, Sendable {
    /// The endpoint name has more bytes than ``TemporaryURIs/largestEndpoint``; how many.
    case endpointTooLong(Int)
    /// The secret has fewer than 16 bytes, and the profile is no test; or it has none. How many.
    case weakSecret(Int)
}

#if !hasFeature(Embedded)
    extension ProfileError: CustomStringConvertible {
        /// A sentence for people, without a full stop.
        public var description: String {
            switch self {
            case .invalid(let field): "the profile's '\(field.name.string)' has no value that it may have"
            case .repeated(let field): "the profile states '\(field.name.string)' twice"
            case .unknownField(let name): "'\(name.string)' is no field of a profile"
            case .malformedEntry(let index): "entry \(index + 1) of the profile is not name=value"
            case .unknownRecord: "a resource is none of one profile"
            case .tooLong: "the profile is too long"
            case .counterMismatch: "'counter' goes with the parameter 'random', and neither without the other"
            case .partOfUnusedParameter: "the part beside the name is of no parameter of the derivation"
            case .alphabetNotForHosts: "base64url cannot stand in a host, where upper and lower case are one"
            case .tooFewBits(let bits):
                "a name would tell \(bits) bits and devices could share one; 48 are needed unless short-names=yes"
            case .hostIsAddress: "a name cannot go into an address; the static URI needs a host name"
            case .invalidHost: "the static host is no name: labels of 1 to 63 of a-z 0-9 -, none a hyphen at an end"
            case .offsetBehindLabel: "the offset lies behind the first label of the static host"
            case .labelTooLong(let length): "the label with the name would have \(length) characters, more than 63"
            case .hostTooLong(let length): "the host would have \(length) characters, more than 253"
            case .uriTooLong(let length): "the URI would have \(length) characters, more than 255"
            case .invalidURI: "the parts of the static URI make no URI"
            }
        }
    }

    extension DerivationError: CustomStringConvertible {
        /// A sentence for people, without a full stop.
        public var description: String {
            switch self {
            case .endpointTooLong(let count): "the endpoint name has \(count) bytes"
            case .weakSecret(let count): "the secret has fewer than 16 bytes: \(count); a name tests every guess of it"
            }
        }
    }
#endif
