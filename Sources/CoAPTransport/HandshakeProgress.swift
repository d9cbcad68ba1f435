import CLibCoAP
import CLibCrypto

/// How far a handshake has come.
enum HandshakeProgress {
    /// Whether a client has seen more than a cookie from the server.
    static func hasServerAnswered(_ session: OpaquePointer) -> Bool {
        var library = COAP_TLS_LIBRARY_NOTLS
        guard let tls = coap_session_get_tls(session, &library), library == COAP_TLS_LIBRARY_OPENSSL else {
            return false
        }
        switch SSL_get_state(OpaquePointer(tls)) {
        case TLS_ST_BEFORE, TLS_ST_CW_CLNT_HELLO, DTLS_ST_CR_HELLO_VERIFY_REQUEST: return false
        default: return true
        }
    }
}
