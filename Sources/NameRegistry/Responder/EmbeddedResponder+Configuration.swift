public import CoAPTransport
public import Primitives

extension EmbeddedResponder {
    /// Which zone is answered for, where, and how much strangers may cost.
    public struct Configuration: Sendable {
        /// Where questions come in, by UDP and TCP: an address of this machine, not a wildcard, because answers must
        /// leave from the address that was asked; port 0 takes one that is free.
        public var address: SocketAddress
        /// The zone.
        public var zone: UTF8Text
        /// How long resolvers may keep that a name does not exist, in seconds; 5 in tests, at most 60 is wise.
        public var negativeTimeToLive: UInt32
        /// The most names; a batch that would pass it is not done.
        public var maximumNames: Int
        /// The most TCP connections; one more takes the place of the one that has been quiet longest.
        public var maximumConnections: Int
        /// How long a TCP connection may stay open without another whole question.
        public var connectionTimeout: Duration
        /// The most UDP answers a second to one source; above it every other question is told to come by TCP.
        ///
        /// A source is an IPv4 address, or the first 64 bits of an IPv6 one. Nil for no limit: on loopback a whole
        /// fleet is one source.
        public var answersPerSourceAndSecond: Int?

        /// Creates a configuration.
        public init(
            address: SocketAddress,
            zone: UTF8Text,
            negativeTimeToLive: UInt32 = 5,
            maximumNames: Int = 4_000_000,
            maximumConnections: Int = 64,
            connectionTimeout: Duration = .seconds(10),
            answersPerSourceAndSecond: Int? = nil
        ) {
            self.address = address
            self.zone = zone
            self.negativeTimeToLive = negativeTimeToLive
            self.maximumNames = maximumNames
            self.maximumConnections = maximumConnections
            self.connectionTimeout = connectionTimeout
            self.answersPerSourceAndSecond = answersPerSourceAndSecond
        }
    }

    /// What was asked so far, each question under one of the first seven.
    public struct Counters: Hashable, Sendable {
        /// Answered with records.
        public var answered: UInt64 = 0
        /// The name exists, but has no record of the type.
        public var noData: UInt64 = 0
        /// The name does not exist (NXDOMAIN): a name that is over, or a stranger's guess.
        public var nonexistent: UInt64 = 0
        /// Refused: outside the zone, another class, a transfer, or any type.
        public var refused: UInt64 = 0
        /// Not a question that can be read; answered with FORMERR where there is something to answer.
        public var malformed: UInt64 = 0
        /// An operation or an EDNS version that is not implemented (NOTIMP, BADVERS).
        public var notImplemented: UInt64 = 0
        /// Not answered, or told to come by TCP, because the source asked too often.
        public var limited: UInt64 = 0
        /// Questions that came by TCP.
        public var questionsByTCP: UInt64 = 0
        /// TCP connections closed for being quiet or not reading, or for making room.
        public var connectionsClosed: UInt64 = 0

        /// Creates counters that stand at zero.
        public init() {}
    }
}
