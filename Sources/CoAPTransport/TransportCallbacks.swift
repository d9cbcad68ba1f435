import CLibCoAP
import CoAPMessages

/// The functions that the CoAP library calls; each finds its owner through the data of the session's context.
enum TransportCallbacks {
    static func register(on context: OpaquePointer) {
        coap_register_event_handler(context) { session, event in
            guard let session, let owner = TransportContext.of(session) else { return 0 }
            owner.transport.eventOccurred(event, on: session, in: owner)
            return 0
        }
        coap_register_nack_handler(context) { session, _, reason, messageID in
            guard let session, let owner = TransportContext.of(session) else { return }
            let messageID = UInt16(truncatingIfNeeded: messageID)
            owner.transport.messageFailed(messageID, reason: reason, on: session, in: owner)
        }
        coap_register_response_handler(context) { session, sent, received, _ in
            guard let session, let received, let owner = TransportContext.of(session) else {
                return COAP_RESPONSE_OK
            }
            return owner.transport.answerReceived(received, on: session, in: owner)
                ? COAP_RESPONSE_OK : COAP_RESPONSE_FAIL
        }
        // The resource of unknown paths takes every path but the one that the library would answer itself.
        guard let unknown = coap_resource_unknown_init(self.requestHandler) else { return }
        self.add(unknown, to: context)
        guard let wellKnown = coap_resource_init(coap_make_str_const(".well-known/core"), 0) else { return }
        self.add(wellKnown, to: context)
    }

    private static let requestHandler: coap_method_handler_t = { _, session, request, _, response in
        guard let session, let request, let response, let owner = TransportContext.of(session) else { return }
        owner.transport.requestReceived(request, response: response, on: session, in: owner)
    }

    private static func add(_ resource: OpaquePointer, to context: OpaquePointer) {
        for method in [
            COAP_REQUEST_GET, COAP_REQUEST_POST, COAP_REQUEST_PUT, COAP_REQUEST_DELETE, COAP_REQUEST_FETCH,
            COAP_REQUEST_PATCH, COAP_REQUEST_IPATCH,
        ] {
            coap_register_request_handler(resource, method, self.requestHandler)
        }
        coap_add_resource(context, resource)
    }
}
