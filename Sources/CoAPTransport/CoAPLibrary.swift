import CLibCoAP

#if canImport(Glibc)
    import Glibc
#endif

/// The CoAP library of the process: started once, silent, and of a known version.
enum CoAPLibrary {
    /// The version whose inner workings the fast path relies on.
    private static let provenVersion: StaticString = "libcoap 4.3.1"

    /// Whether the library is the version that the outer epoll was proven with.
    static let isProven: Bool = {
        guard let version = coap_package_version() else { return false }
        return provenVersion.withUTF8Buffer { wanted in
            for (index, byte) in wanted.enumerated() where UInt8(bitPattern: version[index]) != byte { return false }
            return version[wanted.count] == 0
        }
    }()

    /// What the library's header defines as COAP_IO_NO_WAIT.
    static let noWait = UInt32.max

    /// Where the 16 bytes stand in sockaddr_in6, behind family, port and flow.
    static let ipv6AddressOffset = 8

    /// What the library's log told; only counts are kept, since its lines may name identities.
    struct Warnings {
        var all: UInt64 = 0
        var malformed: UInt64 = 0
        var criticalOptions: UInt64 = 0
    }

    nonisolated(unsafe) static var warnings = Warnings()

    /// The message ids of Resets that arrived and have not been looked at; at most ``resetLimit``.
    ///
    /// The library's log is the only place that names a Reset of a message that wanted no acknowledgement.
    nonisolated(unsafe) static var resets: [UInt16] = []
    private static let resetLimit = 64

    /// Starts the library the first time it is read.
    static let start: Void = {
        coap_startup()
        coap_set_log_level(LOG_WARNING)
        coap_dtls_set_log_level(LOG_EMERG)
        coap_set_log_handler { level, message in
            guard let message else { return }
            CoAPLibrary.lineWritten(level, message)
        }
    }()

    private static func lineWritten(_ level: coap_log_t, _ message: UnsafePointer<CChar>) {
        if level == LOG_ALERT, let digits = self.remainder(of: message, behind: "got RST for mid=0x") {
            if self.resets.count < self.resetLimit {
                self.resets.append(UInt16(truncatingIfNeeded: strtoul(digits, nil, 16)))
            }
            return
        }
        self.warnings.all &+= 1
        if self.remainder(of: message, behind: "discard malformed PDU") != nil { self.warnings.malformed &+= 1 }
    }

    /// What follows a beginning; nil when the text begins otherwise.
    private static func remainder(
        of text: UnsafePointer<CChar>,
        behind beginning: StaticString
    ) -> UnsafePointer<CChar>? {
        beginning.withUTF8Buffer { wanted in
            for (index, byte) in wanted.enumerated() where UInt8(bitPattern: text[index]) != byte { return nil }
            return text + wanted.count
        }
    }

    /// The library's current time, in its own ticks.
    static var ticks: coap_tick_t {
        var ticks: coap_tick_t = 0
        coap_ticks(&ticks)
        return ticks
    }
}

extension SocketAddress {
    /// The address as the library takes it.
    var libraryAddress: coap_address_t {
        var address = coap_address_t()
        coap_address_init(&address)
        if self.isIPv6 {
            var socketAddress = sockaddr_in6()
            socketAddress.sin6_family = sa_family_t(AF_INET6)
            socketAddress.sin6_port = self.port.bigEndian
            withUnsafeMutableBytes(of: &socketAddress) { bytes in
                bytes.storeBytes(of: self.high.bigEndian, toByteOffset: CoAPLibrary.ipv6AddressOffset, as: UInt64.self)
                bytes.storeBytes(
                    of: self.low.bigEndian,
                    toByteOffset: CoAPLibrary.ipv6AddressOffset + 8,
                    as: UInt64.self
                )
            }
            address.addr.sin6 = socketAddress
            address.size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        } else {
            var socketAddress = sockaddr_in()
            socketAddress.sin_family = sa_family_t(AF_INET)
            socketAddress.sin_port = self.port.bigEndian
            socketAddress.sin_addr.s_addr = UInt32(truncatingIfNeeded: self.low).bigEndian
            address.addr.sin = socketAddress
            address.size = socklen_t(MemoryLayout<sockaddr_in>.size)
        }
        return address
    }

    /// An address of the library; nil when it is of another family.
    init?(_ address: coap_address_t) {
        switch Int32(address.addr.sa.sa_family) {
        case AF_INET:
            let value = UInt32(bigEndian: address.addr.sin.sin_addr.s_addr)
            self.init(
                ipv4: (
                    UInt8(truncatingIfNeeded: value >> 24), UInt8(truncatingIfNeeded: value >> 16),
                    UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)
                ),
                port: UInt16(bigEndian: address.addr.sin.sin_port)
            )
        case AF_INET6:
            let bytes = withUnsafeBytes(of: address.addr.sin6.sin6_addr) { Array($0) }
            self.init(ipv6: bytes, port: UInt16(bigEndian: address.addr.sin6.sin6_port))
        default:
            return nil
        }
    }
}
