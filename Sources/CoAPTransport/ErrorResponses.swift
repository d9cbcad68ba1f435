import CLibCoAP

/// Makes the answers that the CoAP library gives on its own, such as 4.02 for an unknown critical option.
///
/// It stands in place of the library's function of this name, which the dynamic linker finds here first, for two
/// reasons: the library tells nobody that it gave such an answer, and it puts the unknown critical option into the
/// answer, which the peer must then refuse in its turn. Where the linker binds the library's own function, all that is
/// missing is the count.
///
/// It is public only so that the linker shows it to the library; nobody else calls it.
///
/// - Parameters:
///   - request: the library's request.
///   - code: the code of the answer.
///   - options: which options the library would put into the answer; none is.
/// - Returns: the library's message, or nil when there is no memory.
/// - Source: RFC 7252, section 5.4.1.
@_cdecl("coap_new_error_response")
public func makeErrorResponse(
    _ request: OpaquePointer?,
    _ code: UInt32,
    _ options: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    guard let request else { return nil }
    if code == COAP_RESPONSE_CODE_BAD_OPTION.rawValue { CoAPLibrary.warnings.criticalOptions &+= 1 }
    let isConfirmable = coap_pdu_get_type(request) == COAP_MESSAGE_CON
    let token = coap_pdu_get_token(request)
    guard
        let response = coap_pdu_init(
            isConfirmable ? COAP_MESSAGE_ACK : COAP_MESSAGE_NON,
            coap_pdu_code_t(rawValue: code),
            coap_pdu_get_mid(request),
            token.length
        )
    else { return nil }
    if token.length > 0, coap_add_token(response, token.length, token.s) == 0 {
        coap_delete_pdu(response)
        return nil
    }
    return response
}
