internal import CoAPMessages
internal import LwM2MCodecs
internal import LwM2MModel
internal import Primitives

/// The parameters of Register and Update, read from the queries and the payload of a request.
///
/// - Source: LwM2M Core 1.2.2, clauses 6.2.1 and 6.2.2.
struct RegistrationRequest: Sendable {
    var endpoint: UTF8Text?
    var lifetime: UInt32?
    var version: ObjectVersion?
    var binding: UTF8Text?
    var isQueueMode = false
    var hasProfile = false
    var objects: ObjectList?

    static let maximumEndpointLength = 255

    /// Reads a request.
    ///
    /// - Throws: the code that refuses it.
    init(_ request: CoAPRequest, limits: ManagementConfiguration) throws(Refusal) {
        guard let queries = request.query else { throw Refusal(.badRequest) }
        var seen: [ArraySlice<UInt8>] = []
        for query in queries {
            let (name, value) = Self.split(query)
            guard !seen.contains(name), seen.count < 32 else { throw Refusal(.badRequest) }
            seen.append(name)
            guard self.take(name, value) else { throw Refusal(.badRequest) }
        }
        self.objects = try Self.readObjects(request, limits: limits)
    }

    private static func split(_ query: UTF8Text) -> (name: ArraySlice<UInt8>, value: ArraySlice<UInt8>?) {
        guard let mark = query.bytes.firstIndex(of: Ascii.equals) else { return (query.bytes[...], nil) }
        return (query.bytes[..<mark], query.bytes[(mark + 1)...])
    }

    /// Takes one query over; false when its value has the wrong shape.
    ///
    /// Unknown queries are passed over.
    private mutating func take(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>?) -> Bool {
        if name.elementsEqual("ep".utf8) {
            guard let value, (1...Self.maximumEndpointLength).contains(value.count) else { return false }
            self.endpoint = UTF8Text(validating: Array(value))
            return self.endpoint != nil
        }
        if name.elementsEqual("lt".utf8) {
            guard let value, let number = Self.number(value) else { return false }
            self.lifetime = number
        } else if name.elementsEqual("lwm2m".utf8) {
            guard let value, let version = Self.version(value) else { return false }
            self.version = version
        } else if name.elementsEqual("b".utf8) {
            guard let value, (1...8).contains(value.count), value.allSatisfy(Ascii.isLetter) else { return false }
            self.binding = UTF8Text(validating: Array(value))
            // Version 1.0 states queue mode in the binding, later ones by a parameter of its own.
            if value.contains(UInt8(ascii: "Q")) { self.isQueueMode = true }
        } else if name.elementsEqual("Q".utf8) {
            self.isQueueMode = true
        } else if name.elementsEqual("pid".utf8) {
            self.hasProfile = true
        }
        return true
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt32? {
        guard (1...10).contains(digits.count), digits.allSatisfy(Ascii.isDigit) else { return nil }
        return UInt32(exactly: digits.reduce(0 as UInt64) { $0 * 10 + UInt64($1 - Ascii.zero) })
    }

    private static func version(_ text: ArraySlice<UInt8>) -> ObjectVersion? {
        let parts = text.split(separator: Ascii.dot, omittingEmptySubsequences: false)
        guard parts.count == 2, let major = self.number(parts[0]), let minor = self.number(parts[1]),
            let major = UInt8(exactly: major), let minor = UInt8(exactly: minor)
        else { return nil }
        return ObjectVersion(major, minor)
    }

    private static func readObjects(
        _ request: CoAPRequest,
        limits: ManagementConfiguration
    ) throws(Refusal) -> ObjectList? {
        guard !request.payload.isEmpty else { return nil }
        if let format = request.options.contentFormat, format != .linkFormat {
            throw Refusal(.unsupportedContentFormat)
        }
        guard request.payload.count <= limits.maximumObjectListLength else { throw Refusal(.requestEntityTooLarge) }
        let list: ObjectList
        do { list = try ObjectList(decoding: request.payload) } catch { throw Refusal(.badRequest) }
        guard list.entries.count <= limits.maximumObjects else { throw Refusal(.requestEntityTooLarge) }
        return list
    }
}

/// A request that is not done, by the code that says so.
struct Refusal: Error {
    let code: CoAPCode

    init(_ code: CoAPCode) {
        self.code = code
    }
}
