import CLibCoAP
import CLibCrypto
import CoAPMessages
public import Primitives

extension CoAPTransport {
    /// The host that a peer named in the handshake of a session that it opened, in lower case.
    ///
    /// - Returns: nil when the session is not secured, or the peer named no host, or what it named is not text.
    /// - Source: RFC 6066, section 3.
    public func serverName(of session: TransportSession) -> UTF8Text? {
        LibraryLock.acquire()
        defer { LibraryLock.release() }
        guard let open = self.openSlot(of: session), self.sessions[open.slot].isSecured else { return nil }
        var library = COAP_TLS_LIBRARY_NOTLS
        guard let tls = coap_session_get_tls(open.pointer, &library), library == COAP_TLS_LIBRARY_OPENSSL,
            let name = SSL_get_servername(OpaquePointer(tls), TLSEXT_NAMETYPE_host_name)
        else { return nil }
        var bytes: [UInt8] = []
        while name[bytes.count] != 0 { bytes.append(Ascii.lowercased(UInt8(bitPattern: name[bytes.count]))) }
        return bytes.isEmpty ? nil : UTF8Text(validating: bytes)
    }
}
