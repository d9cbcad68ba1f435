/// The code of a CoAP message: a class of 3 bits and a detail of 5, written `c.dd`.
///
/// - Source: RFC 7252, section 12.1; RFC 8132 for FETCH, PATCH and iPATCH; RFC 7959 for 2.31, 4.08.
public struct CoAPCode: Hashable, Sendable {
    /// The code as its byte on the wire.
    public let rawValue: UInt8

    /// Creates a code from its byte on the wire.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Creates a code from its class, 0 to 7, and detail, 0 to 31.
    public init(class codeClass: UInt8, detail: UInt8) {
        precondition(codeClass < 8 && detail < 32, "a code has 3 bits of class and 5 of detail")
        self.rawValue = codeClass << 5 | detail
    }

    /// The class: 0 request, 2 success, 4 client error, 5 server error, 7 signalling.
    public var codeClass: UInt8 { self.rawValue >> 5 }

    /// The detail within the class.
    public var detail: UInt8 { self.rawValue & 0x1F }

    /// Whether this is a request method.
    public var isRequest: Bool { self.codeClass == 0 && self.detail != 0 }

    /// Whether this is a 2.xx answer.
    public var isSuccess: Bool { self.codeClass == 2 }

    /// The code as people write it; `"4.04"`.
    public var text: String {
        "\(self.codeClass)." + (self.detail < 10 ? "0\(self.detail)" : "\(self.detail)")
    }

    /// 0.00 Empty.
    public static let empty = CoAPCode(rawValue: 0x00)
    /// 0.01 GET.
    public static let get = CoAPCode(rawValue: 0x01)
    /// 0.02 POST.
    public static let post = CoAPCode(rawValue: 0x02)
    /// 0.03 PUT.
    public static let put = CoAPCode(rawValue: 0x03)
    /// 0.04 DELETE.
    public static let delete = CoAPCode(rawValue: 0x04)
    /// 0.05 FETCH.
    public static let fetch = CoAPCode(rawValue: 0x05)
    /// 0.06 PATCH.
    public static let patch = CoAPCode(rawValue: 0x06)
    /// 0.07 iPATCH.
    public static let iPatch = CoAPCode(rawValue: 0x07)

    /// 2.01 Created.
    public static let created = CoAPCode(rawValue: 0x41)
    /// 2.02 Deleted.
    public static let deleted = CoAPCode(rawValue: 0x42)
    /// 2.03 Valid.
    public static let valid = CoAPCode(rawValue: 0x43)
    /// 2.04 Changed.
    public static let changed = CoAPCode(rawValue: 0x44)
    /// 2.05 Content.
    public static let content = CoAPCode(rawValue: 0x45)
    /// 2.31 Continue.
    public static let `continue` = CoAPCode(rawValue: 0x5F)

    /// 4.00 Bad Request.
    public static let badRequest = CoAPCode(rawValue: 0x80)
    /// 4.01 Unauthorized.
    public static let unauthorized = CoAPCode(rawValue: 0x81)
    /// 4.02 Bad Option.
    public static let badOption = CoAPCode(rawValue: 0x82)
    /// 4.03 Forbidden.
    public static let forbidden = CoAPCode(rawValue: 0x83)
    /// 4.04 Not Found.
    public static let notFound = CoAPCode(rawValue: 0x84)
    /// 4.05 Method Not Allowed.
    public static let methodNotAllowed = CoAPCode(rawValue: 0x85)
    /// 4.06 Not Acceptable.
    public static let notAcceptable = CoAPCode(rawValue: 0x86)
    /// 4.08 Request Entity Incomplete.
    public static let requestEntityIncomplete = CoAPCode(rawValue: 0x88)
    /// 4.09 Conflict.
    public static let conflict = CoAPCode(rawValue: 0x89)
    /// 4.12 Precondition Failed.
    public static let preconditionFailed = CoAPCode(rawValue: 0x8C)
    /// 4.13 Request Entity Too Large.
    public static let requestEntityTooLarge = CoAPCode(rawValue: 0x8D)
    /// 4.15 Unsupported Content-Format.
    public static let unsupportedContentFormat = CoAPCode(rawValue: 0x8F)
    /// 4.29 Too Many Requests (RFC 8516).
    public static let tooManyRequests = CoAPCode(rawValue: 0x9D)

    /// 5.00 Internal Server Error.
    public static let internalServerError = CoAPCode(rawValue: 0xA0)
    /// 5.01 Not Implemented.
    public static let notImplemented = CoAPCode(rawValue: 0xA1)
    /// 5.03 Service Unavailable.
    public static let serviceUnavailable = CoAPCode(rawValue: 0xA3)
    /// 5.04 Gateway Timeout.
    public static let gatewayTimeout = CoAPCode(rawValue: 0xA4)
}

#if !hasFeature(Embedded)
    extension CoAPCode: CustomStringConvertible {
        /// The code as people write it; `"4.04"`.
        public var description: String { self.text }
    }
#endif
