extension CoAPTransport {
    /// What a transport is told once.
    public struct Configuration: Sendable {
        /// The suites that may be agreed on; never empty.
        public var cipherSuites: [CipherSuite] = [.aes128CCM8, .aes128GCMSHA256, .aes128CBCSHA256]
        /// How many sessions share one context of the CoAP library, 1 to 1,024.
        public var sessionsPerContext = 256
        /// How many sessions may be open at once, both kinds together.
        public var maximumSessions = 65_536
        /// The largest body taken or sent, in bytes.
        public var maximumBodySize = 1 << 20
        /// How long the first wait for an acknowledgement lasts; the CoAP library takes no less than a second.
        ///
        /// - Source: RFC 7252, section 4.8, ACK_TIMEOUT.
        public var acknowledgeTimeout: Duration = .seconds(2)
        /// How often a message is sent again, at least once.
        ///
        /// - Source: RFC 7252, section 4.8, MAX_RETRANSMIT.
        public var maximumRetransmit = 4
        /// How long an acknowledged request waits for an answer that comes in a message of its own.
        ///
        /// - Source: RFC 7252, section 4.8.2, MAX_TRANSMIT_WAIT.
        public var answerTimeout: Duration = .seconds(93)
        /// How long a handshake may take before the session fails.
        public var handshakeTimeout: Duration = .seconds(60)
        /// How long an accepted session may be silent before it is forgotten; above any lifetime in use.
        public var idleTimeout: Duration = .seconds(7 * 86_400)
        /// Whether memory that OpenSSL needs for handshakes alone is given back; for fleets.
        ///
        /// Must be set before any other use of OpenSSL in the process, and holds for the whole process.
        public var compactsTLSMemory = false
        /// How many percent of the datagrams get lost on purpose each way, 0 to 99; for fleets.
        ///
        /// Of those sent, the share holds for the whole process; of those received, for sessions that are opened here.
        public var lossPercent = 0

        /// Creates the configuration with the defaults above.
        public init() {}
    }
}
