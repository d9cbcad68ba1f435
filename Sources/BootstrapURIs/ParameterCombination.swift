/// How the secret and the parameters become the input of the hash.
///
/// Concatenation and insertion put bytes side by side, so two sets of parameters may give one input: `dev1` at `0` and
/// `dev` at `10`. The labels and lengths of ``hmac`` leave no room for that, and the secret stays a key.
public enum ParameterCombination: Hashable, Sendable {
    /// The secret behind so many of the parameters and before the others, all in the stated order.
    case concatenation(secretAt: Int = 0)
    /// HMAC-SHA-256 keyed by the secret over the parameters, each with a label and its length.
    case hmac
    /// All parameters in the stated order, inserted into the secret at an offset in bytes; past its end is its end.
    case parametersIntoSecret(offset: Int)
    /// The secret, inserted into all parameters in the stated order at an offset in bytes; past their end is their end.
    case secretIntoParameters(offset: Int)

    /// The greatest offset that a profile may state.
    public static let largestOffset = 255
}
