internal import CAres

/// Why a name has no addresses, or why the resolver could not start.
public enum NameResolutionError: Error, Hashable, Sendable {
    /// A configured server is not an IP address with a port above 0; its place in the list.
    case invalidServer(at: Int)
    /// The text cannot be a host name: empty, over 253 bytes, a label over 63, or a character that names do not have.
    case invalidName
    /// The servers say that the name does not exist or has no address.
    case notFound
    /// No server answered within the time and tries of the configuration.
    case timedOut
    /// The servers answered with a failure, refused, or could not be reached.
    case serverFailed
    /// The answer was not a DNS message, or not one that fits the question.
    case malformedAnswer
    /// As many lookups wait as the configuration allows.
    case queueFull
    /// The library could not be set up, or has no memory left.
    case local

    init(status: Int32) {
        switch status {
        // Success without an address is an answer that holds none.
        case ARES_SUCCESS, ARES_ENODATA, ARES_ENOTFOUND, ARES_ENONAME: self = .notFound
        case ARES_EFORMERR, ARES_ESERVFAIL, ARES_ENOTIMP, ARES_EREFUSED, ARES_ECONNREFUSED: self = .serverFailed
        case ARES_EBADRESP: self = .malformedAnswer
        case ARES_EBADNAME, ARES_EBADQUERY: self = .invalidName
        case ARES_ETIMEOUT: self = .timedOut
        default: self = .local
        }
    }
}
