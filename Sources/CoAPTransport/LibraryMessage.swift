import CLibCoAP
import CoAPMessages

/// Messages of the library to and from our own values.
enum LibraryMessage {
    /// The options of a message.
    static func options(of message: OpaquePointer) -> CoAPOptions {
        var options = CoAPOptions()
        var iterator = coap_opt_iterator_t()
        guard coap_option_iterator_init(message, &iterator, nil) != nil else { return options }
        while let option = coap_option_next(&iterator) {
            let length = Int(coap_opt_length(option))
            let value = coap_opt_value(option)
            options.append(
                CoAPOptionNumber(rawValue: iterator.number),
                length == 0 ? [] : Array(UnsafeBufferPointer(start: value, count: value == nil ? 0 : length))
            )
        }
        return options
    }

    /// The payload of a message.
    static func payload(of message: OpaquePointer) -> [UInt8] {
        var length = 0
        var data: UnsafePointer<UInt8>?
        guard coap_get_data(message, &length, &data) == 1, let data else { return [] }
        return Array(UnsafeBufferPointer(start: data, count: length))
    }

    /// The token of a message; nil when it is longer than 8 bytes.
    static func token(of message: OpaquePointer) -> CoAPToken? {
        let token = coap_pdu_get_token(message)
        return CoAPToken(Array(UnsafeBufferPointer(start: token.s, count: token.length)))
    }

    /// A token of ours; nil when it cannot be one.
    static func ownToken(of message: OpaquePointer) -> UInt32? {
        let token = coap_pdu_get_token(message)
        guard token.length == 4, let bytes = token.s else { return nil }
        return UInt32(bytes[0]) << 24 | UInt32(bytes[1]) << 16 | UInt32(bytes[2]) << 8 | UInt32(bytes[3])
    }

    /// Fills a message whose token is already there.
    ///
    /// - Returns: false when it does not fit.
    static func fill(_ message: OpaquePointer, options: CoAPOptions, payload: [UInt8]) -> Bool {
        for option in options.all {
            let added = option.value.withUnsafeBufferPointer { value in
                coap_add_option(message, option.number.rawValue, value.count, value.baseAddress)
            }
            if added == 0 { return false }
        }
        if payload.isEmpty { return true }
        return payload.withUnsafeBufferPointer { coap_add_data(message, $0.count, $0.baseAddress) } == 1
    }

    static func addToken(_ token: CoAPToken, to message: OpaquePointer) -> Bool {
        token.bytes.withUnsafeBufferPointer { coap_add_token(message, $0.count, $0.baseAddress) } != 0
    }
}
