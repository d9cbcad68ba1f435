import ClientEngine
import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives
import Testing

@Suite("Core 1.2.2 §6.3 and Transport 1.2.2 §6.5: error codes; nothing is changed on any error")
struct ErrorCodeTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let what: String
        let request: CoAPRequest
        let code: CoAPCode

        var testDescription: String { self.what }

        init(_ what: String, _ request: CoAPRequest, _ code: CoAPCode) {
            self.what = what
            self.request = request
            self.code = code
        }
    }

    static func request(_ method: CoAPCode, _ path: [UTF8Text]) -> CoAPRequest { CoAPRequest(method, path: path) }

    static func tlv(_ path: ObjectPath, _ records: (ObjectPath, ResourceValue)...) -> [UInt8] {
        (try? Payload.encode(records.map { ResourceRecord($0.0, $0.1) }, as: .tlv, at: path)) ?? []
    }

    static func text(_ method: CoAPCode, _ path: ObjectPath, _ text: String) -> CoAPRequest {
        Sample.request(method, path, format: .text, payload: Array(text.utf8))
    }

    static let note = ObjectPath(30_000, 0)

    static let rows: [Row] = [
        // Nothing of the Security object outside bootstrap.
        Row("read /0", Sample.request(.get, ObjectPath(0)), .unauthorized),
        Row("read /0/1", Sample.request(.get, ObjectPath(0, 1)), .unauthorized),
        Row("read /0/1/5", Sample.request(.get, ObjectPath(0, 1, 5), accept: .opaque), .unauthorized),
        Row("observe /0/1/0", Sample.observe(ObjectPath(0, 1, 0)), .unauthorized),
        Row("write /0/1/0", Self.text(.put, ObjectPath(0, 1, 0), "x"), .unauthorized),
        Row("update /0/1", Sample.request(.post, ObjectPath(0, 1), format: .tlv), .unauthorized),
        Row("create /0", Sample.request(.post, ObjectPath(0), format: .tlv), .unauthorized),
        Row("delete /0/1", Sample.request(.delete, ObjectPath(0, 1)), .unauthorized),
        Row("discover /0", Sample.request(.get, ObjectPath(0), accept: .linkFormat), .unauthorized),
        Row("attributes of /0", Sample.request(.put, ObjectPath(0), query: ["pmin=1"]), .unauthorized),
        Row("execute /0/1/8", Sample.request(.post, ObjectPath(0, 1, 8)), .unauthorized),
        Row("read /21", Sample.request(.get, ObjectPath(21)), .unauthorized),
        Row("read /23/0", Sample.request(.get, ObjectPath(23, 0)), .unauthorized),
        // What is not there.
        Row("read an unknown object", Sample.request(.get, ObjectPath(9999)), .notFound),
        Row("read an unknown instance", Sample.request(.get, ObjectPath(3, 1)), .notFound),
        Row("read an undefined resource", Sample.request(.get, ObjectPath(3, 0, 999)), .notFound),
        Row("read an absent resource", Sample.request(.get, ObjectPath(3, 0, 2)), .notFound),
        Row(
            "read an absent resource instance",
            Sample.request(.get, ObjectPath(resourceInstance: 3, 0, 6, 1)),
            .notFound
        ),
        Row("read a path that is none", Self.request(.get, [".well-known", "core"]), .notFound),
        Row("read level 65535", Self.request(.get, ["3", "65535"]), .notFound),
        Row("read a leading zero", Self.request(.get, ["3", "00"]), .notFound),
        Row("read five levels", Self.request(.get, ["3", "0", "6", "0", "0"]), .notFound),
        Row("write an unknown instance", Self.text(.put, ObjectPath(30_000, 9, 0), "x"), .notFound),
        Row("write an undefined resource", Self.text(.put, ObjectPath(30_000, 0, 77), "x"), .notFound),
        Row("delete an unknown instance", Sample.request(.delete, ObjectPath(30_000, 9)), .notFound),
        Row("execute an absent resource", Sample.request(.post, ObjectPath(3, 0, 5)), .notFound),
        Row("discover an absent resource", Sample.request(.get, ObjectPath(3, 0, 2), accept: .linkFormat), .notFound),
        Row("observe an absent resource", Sample.observe(ObjectPath(3, 0, 2)), .notFound),
        Row(
            "write an absent resource instance",
            Self.text(.put, ObjectPath(resourceInstance: 30_000, 0, 2, 3), "x"),
            .notFound
        ),
        // Operations that the level or the resource does not have.
        Row("read the root", Self.request(.get, []), .methodNotAllowed),
        Row("write the root", Self.request(.put, []), .methodNotAllowed),
        Row("delete the root", Self.request(.delete, []), .methodNotAllowed),
        Row("post to the root", Self.request(.post, []), .methodNotAllowed),
        Row("post to /bs", Self.request(.post, ["bs"]), .notFound),
        Row("write an object", Sample.request(.put, ObjectPath(3), format: .tlv), .methodNotAllowed),
        Row("read an executable resource", Sample.request(.get, ObjectPath(3, 0, 4)), .methodNotAllowed),
        Row(
            "read a write-only resource",
            Sample.request(.get, ObjectPath(30_000, 0, 5), accept: .opaque),
            .methodNotAllowed
        ),
        Row("write a read-only resource", Self.text(.put, ObjectPath(3, 0, 0), "x"), .methodNotAllowed),
        Row("write an executable resource", Self.text(.put, ObjectPath(3, 0, 4), "x"), .methodNotAllowed),
        Row("execute a readable resource", Sample.request(.post, ObjectPath(3, 0, 0)), .methodNotAllowed),
        Row("execute an instance", Sample.request(.post, ObjectPath(3, 0)), .methodNotAllowed),
        Row(
            "execute a resource instance",
            Sample.request(.post, ObjectPath(resourceInstance: 3, 0, 6, 0)),
            .methodNotAllowed
        ),
        Row("update a single resource", Self.text(.post, ObjectPath(30_000, 0, 0), "x"), .methodNotAllowed),
        Row("create an instance of /3", Sample.request(.post, ObjectPath(3), format: .tlv), .methodNotAllowed),
        Row("create an instance of /1", Sample.request(.post, ObjectPath(1), format: .tlv), .methodNotAllowed),
        Row("delete /3/0", Sample.request(.delete, ObjectPath(3, 0)), .methodNotAllowed),
        Row("delete /1/0", Sample.request(.delete, ObjectPath(1, 0)), .methodNotAllowed),
        Row("delete a sensor", Sample.request(.delete, ObjectPath(3303, 0)), .methodNotAllowed),
        Row("delete an object", Sample.request(.delete, ObjectPath(30_000)), .methodNotAllowed),
        Row("delete a resource", Sample.request(.delete, ObjectPath(30_000, 0, 1)), .methodNotAllowed),
        Row("write the short server id", Self.text(.put, ObjectPath(1, 0, 0), "5"), .methodNotAllowed),
        Row("fetch", Self.request(.fetch, ["3"]), .methodNotAllowed),
        Row("patch", Self.request(.patch, ["3"]), .methodNotAllowed),
        Row("an unknown method", CoAPRequest(method: CoAPCode(rawValue: 0x1F)), .methodNotAllowed),
        Row(
            "a read-only resource among others",
            Sample.request(
                .put,
                Self.note,
                format: .tlv,
                payload: Self.tlv(
                    Self.note,
                    (Self.note.appending(0), .string("new")),
                    (Self.note.appending(3), .integer(1))
                )
            ),
            .methodNotAllowed
        ),
        // Formats.
        Row(
            "accept an unknown format",
            Sample.request(.get, Self.note, accept: ContentFormat(rawValue: 50)),
            .notAcceptable
        ),
        Row("accept text for an instance", Sample.request(.get, Self.note, accept: .text), .notAcceptable),
        Row(
            "accept bytes for a number",
            Sample.request(.get, Self.note.appending(1), accept: .opaque),
            .notAcceptable
        ),
        Row(
            "write in an unknown format",
            Sample.request(.put, Self.note, format: ContentFormat(rawValue: 50), payload: [1]),
            .unsupportedContentFormat
        ),
        Row("write in link format", Sample.request(.put, Self.note, format: .linkFormat), .unsupportedContentFormat),
        Row(
            "create in an unknown format",
            Sample.request(.post, ObjectPath(30_000), format: ContentFormat(rawValue: 50), payload: [1]),
            .unsupportedContentFormat
        ),
        Row("write without a format", Sample.request(.put, Self.note.appending(0), payload: [0x61]), .badRequest),
        Row("write nothing without a format", Sample.request(.put, Self.note.appending(0)), .badRequest),
        Row("update without a format", Sample.request(.post, Self.note, payload: [0x61]), .badRequest),
        // Values.
        Row("text for a number", Self.text(.put, Self.note.appending(1), "abc"), .badRequest),
        Row("a number out of range", Self.text(.put, Self.note.appending(1), "101"), .badRequest),
        Row("a text too long", Self.text(.put, Self.note.appending(0), "123456789"), .badRequest),
        Row("a negative lifetime", Self.text(.put, ObjectPath(1, 0, 1), "-1"), .badRequest),
        Row("a lifetime beyond 32 bits", Self.text(.put, ObjectPath(1, 0, 1), "4294967296"), .badRequest),
        Row("a binding without UDP", Self.text(.put, ObjectPath(1, 0, 7), "T"), .badRequest),
        Row("a binding of unknown letters", Self.text(.put, ObjectPath(1, 0, 7), "UX"), .badRequest),
        Row("broken TLV", Sample.request(.put, Self.note, format: .tlv, payload: [0xC8, 0, 9, 1]), .badRequest),
        Row("broken SenML", Sample.request(.put, Self.note, format: .senMLCBOR, payload: [0xFF]), .badRequest),
        Row(
            "a replacement without a mandatory resource",
            Sample.request(
                .put,
                Self.note,
                format: .tlv,
                payload: Self.tlv(Self.note, (Self.note.appending(1), .integer(3)))
            ),
            .badRequest
        ),
        Row(
            "one bad value among good ones",
            Sample.request(
                .post,
                Self.note,
                format: .tlv,
                payload: Self.tlv(
                    Self.note,
                    (Self.note.appending(0), .string("new")),
                    (Self.note.appending(1), .integer(1000))
                )
            ),
            .badRequest
        ),
        Row(
            "create without a mandatory resource",
            Sample.request(
                .post,
                ObjectPath(30_000),
                format: .tlv,
                payload: Self.tlv(ObjectPath(30_000), (ObjectPath(30_000, 5, 1), .integer(3)))
            ),
            .badRequest
        ),
        Row(
            "create an instance that exists",
            Sample.request(
                .post,
                ObjectPath(30_000),
                format: .tlv,
                payload: Self.tlv(ObjectPath(30_000), (ObjectPath(30_000, 0, 0), .string("x")))
            ),
            .badRequest
        ),
        Row(
            "create two instances",
            Sample.request(
                .post,
                ObjectPath(30_000),
                format: .tlv,
                payload: Self.tlv(
                    ObjectPath(30_000),
                    (ObjectPath(30_000, 5, 0), .string("x")),
                    (ObjectPath(30_000, 6, 0), .string("x"))
                )
            ),
            .badRequest
        ),
        Row("arguments that are none", Sample.request(.post, ObjectPath(3, 0, 4), payload: [0x78]), .badRequest),
        Row("Observe of 2", Sample.observe(Self.note, 2, accept: nil), .badRequest),
        // Attributes.
        Row("an unknown attribute", Sample.request(.put, Self.note, query: ["color=red"]), .badRequest),
        Row("pmin that is no number", Sample.request(.put, Self.note, query: ["pmin=ten"]), .badRequest),
        Row("pmin below zero", Sample.request(.put, Self.note, query: ["pmin=-1"]), .badRequest),
        Row("pmin twice", Sample.request(.put, Self.note, query: ["pmin=1", "pmin=2"]), .badRequest),
        Row("gt on an instance", Sample.request(.put, Self.note, query: ["gt=1"]), .badRequest),
        Row("gt on a text", Sample.request(.put, Self.note.appending(0), query: ["gt=1"]), .badRequest),
        Row("lt above gt", Sample.request(.put, Self.note.appending(1), query: ["gt=1", "lt=2"]), .badRequest),
        Row(
            "lt + 2 st not below gt",
            Sample.request(.put, Self.note.appending(1), query: ["gt=10", "lt=2", "st=4"]),
            .badRequest
        ),
        Row("st of zero", Sample.request(.put, Self.note.appending(1), query: ["st=0"]), .badRequest),
        Row("attributes of an unknown object", Sample.request(.put, ObjectPath(9999), query: ["pmin=1"]), .notFound),
        Row(
            "attributes of an absent resource",
            Sample.request(.put, ObjectPath(3, 0, 2), query: ["pmin=1"]),
            .notFound
        ),
        Row(
            "attributes of an executable resource",
            Sample.request(.put, ObjectPath(3, 0, 4), query: ["pmin=1"]),
            .methodNotAllowed
        ),
    ]

    @Test("Each is refused with its code", arguments: rows)
    func refuses(row: Row) {
        var (driver, session) = Sample.registered()
        let before = driver.engine.records(below: .root)
        let (exchange, outputs) = driver.request(row.request, session: session)
        guard case .sendResponse(exchange, let response) = outputs.first else {
            Issue.record("no answer to: \(row.what)")
            return
        }
        #expect(response.code == row.code, "\(row.what)")
        #expect(response.payload.isEmpty)
        #expect(outputs.count == 1)
        #expect(driver.engine.records(below: .root) == before)
        let discover = Sample.request(.get, Self.note, accept: .linkFormat)
        #expect(
            driver.answer(discover, session: session)?.payload
                == Array("</30000/0>,</30000/0/0>,</30000/0/1>,</30000/0/3>,</30000/0/4>".utf8)
        )
    }

    @Test("An Accept or Content-Format option of more than two bytes names no format")
    func refusesLongFormats() {
        var (driver, session) = Sample.registered()
        var read = Sample.request(.get, Self.note)
        read.options.append(.accept, [1, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(driver.answer(read, session: session)?.code == .notAcceptable)
        var write = Sample.request(.put, Self.note)
        write.options.append(.contentFormat, [1, 0, 0])
        #expect(driver.answer(write, session: session)?.code == .unsupportedContentFormat)
    }

    @Test("A path that is not UTF-8 is 4.00")
    func refusesBrokenText() {
        var (driver, session) = Sample.registered()
        var request = CoAPRequest(method: .get)
        request.options.append(.uriPath, [0xFF])
        #expect(driver.answer(request, session: session)?.code == .badRequest)
        var attributes = Sample.request(.put, Self.note)
        attributes.options.append(.uriQuery, [0xFF])
        #expect(driver.answer(attributes, session: session)?.code == .badRequest)
    }

    @Test("A request over a session that is none of a server's is 4.01")
    func refusesStrangers() {
        var (driver, _) = Sample.registered()
        let stranger = SessionID(rawValue: 200)
        #expect(driver.answer(Sample.request(.get, Self.note), session: stranger)?.code == .unauthorized)
    }
}
