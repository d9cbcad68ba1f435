import CLibCoAP

#if canImport(Glibc)
    import Glibc
#endif

/// Tells whether a confirmable message is still unacknowledged.
///
/// The library tells its user about answers, resets and timeouts, but not about empty acknowledgements. It does count,
/// in a byte of its session, how many confirmable messages are unacknowledged, and that byte is found here once per
/// process by watching it: three messages to a socket of our own make it count to three, an acknowledgement to two. On
/// a library that keeps no such byte nothing is found, and the user must make do with ``coap_can_exit``.
enum AcknowledgementProbe {
    /// Where the count stands in a session; nil when it was not found.
    static let offset: Int? = AcknowledgementProbe.find()

    /// How many confirmable messages of a session are unacknowledged; nil when it cannot be known.
    @inline(__always)
    static func level(of session: OpaquePointer) -> UInt8? {
        guard let offset = self.offset else { return nil }
        return UnsafeRawPointer(session).load(fromByteOffset: offset, as: UInt8.self)
    }

    private static func find() -> Int? {
        let peer = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        guard peer >= 0 else { return nil }
        defer { close(peer) }
        var address = SocketAddress(ipv4: (127, 0, 0, 1), port: 0).libraryAddress
        guard PortProbe.bind(peer, to: &address), let context = coap_new_context(nil) else { return nil }
        defer { coap_free_context(context) }
        guard let session = coap_new_client_session(context, nil, &address, COAP_PROTO_UDP) else { return nil }
        defer { coap_session_release(session) }
        coap_session_set_nstart(session, 8)
        let size = malloc_usable_size(UnsafeMutableRawPointer(session))
        let bytes = UnsafeRawBufferPointer(start: UnsafeRawPointer(session), count: size)

        var images = [Array(bytes)]
        for _ in 0..<3 {
            guard let message = coap_new_pdu(COAP_MESSAGE_CON, COAP_REQUEST_CODE_GET, session),
                coap_send(session, message) != COAP_INVALID_MID
            else { return nil }
            images.append(Array(bytes))
        }
        guard self.acknowledgeOne(peer) else { return nil }
        for _ in 0..<10 where images.count == 4 {
            _ = coap_io_process(context, CoAPLibrary.noWait)
            if Array(bytes) != images[3] { images.append(Array(bytes)) }
        }
        guard images.count == 5 else { return nil }
        return (0..<size).first { index in
            zip(images, [0, 1, 2, 3, 2] as [UInt8]).allSatisfy { $0[index] == $1 }
        }
    }

    /// Receives the first message and sends an empty acknowledgement.
    private static func acknowledgeOne(_ peer: Int32) -> Bool {
        var source = sockaddr()
        var size = socklen_t(MemoryLayout<sockaddr>.size)
        var header: (UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0)
        return withUnsafeMutableBytes(of: &header) { header in
            guard let base = header.baseAddress, recvfrom(peer, base, 4, Int32(MSG_DONTWAIT), &source, &size) == 4
            else { return false }
            header[0] = 0x60
            header[1] = 0
            return sendto(peer, base, 4, 0, &source, size) == 4
        }
    }
}
