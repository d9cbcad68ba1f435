import CLibCoAP
import CLibCrypto

/// Narrows the cipher suites of every DTLS context that the CoAP library makes.
///
/// The library sets its own suite list on every connection, so neither a configuration file nor the context's list has
/// an effect. A security callback does: OpenSSL asks it about every suite before offering or accepting it. The
/// context is ours to see because OpenSSL tells the owner of an extra-data index about each new object.
enum CipherHook {
    typealias Callback =
        @convention(c) (
            OpaquePointer?, OpaquePointer?, Int32, Int32, Int32, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?
        ) -> Int32

    /// The suites of the contexts made from now on, one bit for each case.
    nonisolated(unsafe) static var allowedSuites: UInt = 7
    /// Whether contexts made from now on send small records, so that their buffers stay small.
    nonisolated(unsafe) static var limitsFragments = false
    /// The contexts that OpenSSL made since they were last taken.
    nonisolated(unsafe) private static var made: [OpaquePointer] = []
    /// What OpenSSL would have decided.
    nonisolated(unsafe) private static var savedCallback: Callback?

    /// The 16-bit numbers of the suites, in the order of the cases.
    private static func bit(of number: UInt32) -> UInt {
        switch number & 0xFFFF {
        case 0xC0A8: 1
        case 0x00A8: 2
        case 0x00AE: 4
        default: 0
        }
    }

    static func mask(_ suites: [CipherSuite]) -> UInt {
        var mask: UInt = 0
        for suite in suites {
            switch suite {
            case .aes128CCM8: mask |= 1
            case .aes128GCMSHA256: mask |= 2
            case .aes128CBCSHA256: mask |= 4
            }
        }
        return mask
    }

    /// Installs the hook the first time it is read; must be before the library's first context.
    static let install: Void = {
        // CRYPTO_get_ex_new_index is what the macro SSL_CTX_get_ex_new_index calls.
        _ = CRYPTO_get_ex_new_index(
            CRYPTO_EX_INDEX_SSL_CTX,
            0,
            nil,
            { parent, _, _, _, _, _ in
                if let parent { CipherHook.narrow(OpaquePointer(parent)) }
            },
            nil,
            nil
        )
    }()

    /// Makes a context of the library and completes its OpenSSL contexts.
    ///
    /// The library lets servers choose among the suites that OpenSSL counts as TLS 1.2, and OpenSSL counts
    /// TLS_PSK_WITH_AES_128_CBC_SHA256 as older; so the list is set once more.
    static func makeContext() -> OpaquePointer? {
        // Others that the library made in the meantime may be gone already.
        self.made.removeAll()
        guard let made = coap_new_context(nil) else { return nil }
        for context in self.made {
            SSL_CTX_set_cipher_list(context, "PSK-AES128-CCM8:PSK-AES128-GCM-SHA256:PSK-AES128-CBC-SHA256")
            if self.limitsFragments {
                // What the macro SSL_CTX_set_max_send_fragment calls.
                SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_SEND_FRAGMENT, self.fragmentLimit, nil)
            }
        }
        self.made.removeAll()
        return made
    }

    /// More than a CoAP message with a block of 1,024 bytes needs.
    private static let fragmentLimit = 1_400

    private static func narrow(_ context: OpaquePointer) {
        self.made.append(context)
        // The index is told while SSL_CTX_new still fills the object, but after its security settings were made.
        CipherHook.savedCallback = SSL_CTX_get_security_callback(context)
        SSL_CTX_set0_security_ex_data(context, UnsafeMutableRawPointer(bitPattern: CipherHook.allowedSuites << 1 | 1))
        SSL_CTX_set_security_callback(context) { connection, context, operation, bits, number, other, extra in
            switch operation {
            case SSL_SECOP_CIPHER_SUPPORTED, SSL_SECOP_CIPHER_SHARED, SSL_SECOP_CIPHER_CHECK:
                guard let other else { return 0 }
                let suite = SSL_CIPHER_get_id(OpaquePointer(other))
                let allowed = UInt(bitPattern: extra) >> 1
                if CipherHook.bit(of: suite) & allowed == 0 { return 0 }
            default:
                break
            }
            return CipherHook.savedCallback?(connection, context, operation, bits, number, other, nil) ?? 1
        }
    }
}
