public import Primitives

/// Why a profile, alone or with a static URI, cannot be used.
public enum ProfileError: Error, Hashable, Sendable {
    /// A field is unknown, or its value is none that it can have; the name of the field.
    case invalidField(UTF8Text)
    /// A parameter stands twice, or the random variable has no counter, or a counter is not used.
    case invalidParameters
    /// There is nothing to combine with the secret, and nothing that would change the name.
    case noParameters
    /// The period is outside 1 to 31,622,400 s, or the skew more than half of it.
    case invalidPeriod
    /// The selection is empty, or names a character that the text does not have.
    case invalidSelection
    /// Fewer than 48 bits survive the selection, and the profile does not allow that; so many do.
    case tooFewBits(Int)
    /// base64url in a host, where upper and lower case are the same.
    case caseSensitiveHost
    /// The static URI has an address in place of a host name.
    case hostIsAddress
    /// The offset lies behind the end of the first label.
    case invalidOffset
    /// A label would have more than 63 characters.
    case labelTooLong
    /// The host would have more than 253 characters, or the URI more than 255.
    case tooLong
    /// The host would not be one: a label is empty, begins or ends with a hyphen, or has another character.
    case invalidHost
    /// The profile is linked to no Security instance, or to one that is not there.
    case invalidLink
}

/// Why a URI cannot be derived for one device.
public enum DerivationError: Error, Hashable, Sendable {
    /// The secret has fewer than 16 bytes, and the profile is not one for tests.
    case weakSecret
    /// The endpoint's name is empty or lacks the bytes that the profile inserts.
    case endpointTooShort
    /// The part of the endpoint's name that the profile inserts cannot stand there.
    case endpointNotInsertable
    /// The result is no valid host or URI.
    case invalidResult
}
