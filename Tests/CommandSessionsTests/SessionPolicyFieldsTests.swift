import CommandSessions
import LwM2MModel
import Primitives
import Testing

@Suite("A policy as people write it")
struct SessionPolicyFieldsTests {
    /// Fields of a text with spaces between them.
    private static func fields(_ text: String) -> [(name: UTF8Text, value: UTF8Text)] {
        text.split(separator: " ").map { field in
            let sides = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (UTF8Text(String(sides[0])), UTF8Text(String(sides[1])))
        }
    }

    @Test func everyFieldArrives() throws {
        let policy = try SessionPolicy(
            fields: Self.fields(
                "gateway=192.0.2.1 protect=/3303/0/5601 form=device server=101 gateway=[2001:db8::1] protect=/5 "
                    + "breaches=spoofed=alarm suspension=120 timeout=9"
            )
        )
        var breaches = BreachPolicy.standard
        breaches[.spoofed] = .alarm
        #expect(
            policy
                == (try SessionPolicy(
                    form: .deviceIdentifier,
                    gateway: 101,
                    gatewayAddresses: [
                        try #require(IPAddress(parsing: "192.0.2.1")), try #require(IPAddress(parsing: "2001:db8::1")),
                    ],
                    protectedPaths: [ObjectPath(3303, 0, 5601), ObjectPath(5)],
                    breaches: breaches,
                    suspension: 120,
                    timeout: 9
                ))
        )
    }

    @Test func anAddressIsEnough() throws {
        #expect(try SessionPolicy(fields: Self.fields("gateway=192.0.2.1")) == SessionPolicyTests.policy())
        #expect(
            try SessionPolicy(fields: Self.fields("gateway=192.0.2.1 form=both timeout=60 suspension=3600 breaches="))
                == SessionPolicyTests.policy()
        )
    }

    private static let bounds = [
        "timeout=1", "timeout=86400", "suspension=1", "suspension=2592000", "server=1", "server=65534",
    ]

    @Test(arguments: bounds) func takesWhatIsWithinBounds(_ field: String) throws {
        _ = try SessionPolicy(fields: Self.fields("gateway=192.0.2.1 " + field))
    }

    private static let refused: [(text: String, error: SessionPolicy.FieldError)] = [
        ("", .invalid(.gateway)),
        ("protect=/5", .invalid(.gateway)),
        ("gateway=", .invalid(.gateway)),
        ("gateway=192.0.2.", .invalid(.gateway)),
        ("gateway=gateway.example", .invalid(.gateway)),
        ("gateway=192.0.2.1/24", .invalid(.gateway)),
        (Array(repeating: "gateway=192.0.2.1", count: 17).joined(separator: " "), .invalid(.gateway)),
        ("gateway=192.0.2.1 protect=", .invalid(.protect)),
        ("gateway=192.0.2.1 protect=/", .invalid(.protect)),
        ("gateway=192.0.2.1 protect=3303", .invalid(.protect)),
        ("gateway=192.0.2.1 protect=/3303/0/5601/0/1", .invalid(.protect)),
        ("gateway=192.0.2.1 protect=/65536", .invalid(.protect)),
        ("gateway=192.0.2.1 " + Array(repeating: "protect=/5", count: 65).joined(separator: " "), .invalid(.protect)),
        ("gateway=192.0.2.1 form=", .invalid(.form)),
        ("gateway=192.0.2.1 form=Both", .invalid(.form)),
        ("gateway=192.0.2.1 form=0", .invalid(.form)),
        ("gateway=192.0.2.1 form=both form=device", .repeated(.form)),
        ("gateway=192.0.2.1 server=0", .invalid(.server)),
        ("gateway=192.0.2.1 server=65535", .invalid(.server)),
        ("gateway=192.0.2.1 server=any", .invalid(.server)),
        ("gateway=192.0.2.1 server=101 server=102", .repeated(.server)),
        ("gateway=192.0.2.1 breaches=x", .invalid(.breaches)),
        ("gateway=192.0.2.1 breaches=spoofed=explode", .invalid(.breaches)),
        ("gateway=192.0.2.1 breaches=spoofed=log breaches=unknown=log", .repeated(.breaches)),
        ("gateway=192.0.2.1 suspension=0", .invalid(.suspension)),
        ("gateway=192.0.2.1 suspension=2592001", .invalid(.suspension)),
        ("gateway=192.0.2.1 suspension=1h", .invalid(.suspension)),
        ("gateway=192.0.2.1 suspension=1 suspension=1", .repeated(.suspension)),
        ("gateway=192.0.2.1 timeout=0", .invalid(.timeout)),
        ("gateway=192.0.2.1 timeout=86401", .invalid(.timeout)),
        ("gateway=192.0.2.1 timeout=-1", .invalid(.timeout)),
        ("gateway=192.0.2.1 timeout=", .invalid(.timeout)),
        ("gateway=192.0.2.1 timeout=99999999999999999999", .invalid(.timeout)),
        ("gateway=192.0.2.1 timeout=1 timeout=2", .repeated(.timeout)),
        ("gateway=192.0.2.1 Timeout=1", .unknown("Timeout")),
        ("gateway=192.0.2.1 =1", .unknown("")),
    ]

    @Test(arguments: refused)
    func namesTheFieldThatIsWrong(_ text: String, error: SessionPolicy.FieldError) {
        #expect(throws: error) { try SessionPolicy(fields: Self.fields(text)) }
    }

    @Test func everyFieldHasANameOfItsOwnAndAHint() {
        let names = SessionPolicy.Field.allCases.map { $0.name }
        #expect(Set(names).count == names.count)
        #expect(SessionPolicy.Field.allCases.allSatisfy { !$0.hint.bytes.isEmpty })
    }

    @Test("The hints tell values that are taken", arguments: ["spoofed=log,suspend,alarm", "spoofed=log;unknown=log"])
    func hintsHold(_ breaches: String) throws {
        _ = try SessionPolicy(fields: Self.fields("gateway=192.0.2.1 protect=/3303/0/5601 breaches=" + breaches))
    }
}
