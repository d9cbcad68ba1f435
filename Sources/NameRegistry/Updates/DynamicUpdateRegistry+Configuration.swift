public import CoAPTransport
public import Primitives

extension DynamicUpdateRegistry {
    /// Which zone of which server is written, and as whom.
    public struct Configuration: Sendable {
        /// The zone's primary server.
        public var server: SocketAddress
        /// The zone; every name written is within it.
        public var zone: UTF8Text
        /// The name of the key, as the server knows it.
        public var keyName: UTF8Text
        /// The key of hmac-sha256 itself, not its base64 text; 32 bytes are usual.
        public var key: SecretBytes
        /// How long one message may take from connecting to the end of its answer; 10 ms to 5 min.
        public var timeout: Duration
        /// The most names that reading a zone may find; a zone with more is not read.
        public var maximumNames: Int

        /// Creates a configuration.
        public init(
            server: SocketAddress,
            zone: UTF8Text,
            keyName: UTF8Text,
            key: SecretBytes,
            timeout: Duration = .seconds(10),
            maximumNames: Int = 4_000_000
        ) {
            self.server = server
            self.zone = zone
            self.keyName = keyName
            self.key = key
            self.timeout = timeout
            self.maximumNames = maximumNames
        }
    }

    /// What was exchanged with the server so far.
    public struct Counters: Hashable, Sendable {
        /// Messages sent: updates, questions and requests for the zone.
        public var messagesSent: UInt64 = 0
        /// Bytes of them, without their length fields.
        public var bytesSent: UInt64 = 0
        /// Bytes of the answers, without their length fields.
        public var bytesReceived: UInt64 = 0

        /// Creates counters that stand at zero.
        public init() {}
    }
}
