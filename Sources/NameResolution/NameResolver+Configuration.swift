public import Primitives

extension NameResolver {
    /// How a resolver asks and how much it keeps.
    public struct Configuration: Sendable {
        /// A DNS server.
        public struct Server: Sendable {
            /// The address as text, IPv4 or IPv6.
            public var address: UTF8Text
            /// The port for UDP and TCP, 1 to 65535.
            public var port: UInt16

            /// Creates a server from its address and port.
            public init(address: UTF8Text, port: UInt16 = 53) {
                self.address = address
                self.port = port
            }
        }

        /// The servers to ask, in order; empty for those of the system.
        public var servers: [Server]
        /// How long the first try waits for an answer; each later round waits twice as long.
        public var timeout: Duration
        /// How often every server is asked, at least 1.
        public var tries: Int
        /// The most questions at the servers at a time; above 128 some begin to time out.
        public var maximumInFlight: Int
        /// The most lookups that may wait, whether for their turn or for an answer.
        public var maximumWaiting: Int
        /// The most names whose answers are kept for their TTL.
        public var maximumCached: Int
        /// The longest an answer is kept, whatever its TTL says.
        public var longestLifetime: Duration

        /// Creates a configuration; what is left out suits a device as well as a fleet of 20,000.
        public init(
            servers: [Server] = [],
            timeout: Duration = .seconds(2),
            tries: Int = 3,
            maximumInFlight: Int = 128,
            maximumWaiting: Int = 32_768,
            maximumCached: Int = 1024,
            longestLifetime: Duration = .seconds(86_400)
        ) {
            self.servers = servers
            self.timeout = timeout
            self.tries = tries
            self.maximumInFlight = maximumInFlight
            self.maximumWaiting = maximumWaiting
            self.maximumCached = maximumCached
            self.longestLifetime = longestLifetime
        }
    }
}

extension NameResolver.Configuration.Server {
    /// Reads `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`; the port is 53 unless named.
    ///
    /// - Returns: nil when the text is none of these.
    public init?(parsing text: UTF8Text) {
        if IPAddress(parsing: text) != nil {
            self.init(address: text)
            return
        }
        guard let colon = text.bytes.lastIndex(of: UInt8(ascii: ":")),
            let address = UTF8Text(validating: Array(text.bytes[..<colon])), IPAddress(parsing: address) != nil
        else { return nil }
        // Behind a bare IPv6 address a colon is part of it, never of a port.
        guard !address.bytes.contains(UInt8(ascii: ":")) || address.bytes.first == UInt8(ascii: "[") else { return nil }
        let digits = text.bytes[(colon + 1)...]
        guard (1...5).contains(digits.count) else { return nil }
        var port = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            port = port * 10 + Int(digit - UInt8(ascii: "0"))
        }
        guard (1...65_535).contains(port) else { return nil }
        self.init(address: address, port: UInt16(port))
    }
}
