import BootstrapURIs
import Primitives
import Testing

@Suite struct ProfileTests {
    @Test func theStandardProfileIsTheOneOfAllDefaults() throws {
        #expect(try BootstrapURIProfile() == .standard)
        #expect(try BootstrapURIProfile(fields: []) == .standard)
        #expect(try BootstrapURIProfile(parsing: "") == .standard)
        #expect(BootstrapURIProfile.standard.bitCount == 80)
        #expect(BootstrapURIProfile.standard.usesTime)
        #expect(!BootstrapURIProfile.standard.fallsBackToStaticURI)
        #expect(!BootstrapURIProfile.standard.isTest)
    }

    private static let strengths: [(fields: UTF8Text, bits: Int)] = [
        ("alphabet=hex,selection=last:12", 48), ("alphabet=hex,selection=all,insertion=path", 256),
        ("alphabet=base32,selection=first:16", 80),
        // 256 bits are 51 characters of five and one of a single bit.
        ("alphabet=base32,selection=last:16", 76), ("alphabet=base32,selection=positions:51+0+1+2+3+4+5+6+7+8+9", 51),
        ("alphabet=base64url,selection=all,insertion=path", 256),
        ("alphabet=base64url,selection=last:9,insertion=path", 52),
        // The first decimal digit of 256 bits is 0 or 1.
        ("alphabet=decimal,selection=last:16", 53), ("alphabet=decimal,selection=first:16", 49),
        ("alphabet=decimal,selection=all,insertion=path", 255),
        ("suite=sha-256-64,alphabet=hex,selection=all", 64), ("suite=sha-256-64,alphabet=decimal,selection=all", 63),
    ]

    @Test("A name tells as many bits as its characters hold", arguments: strengths)
    func countsBits(_ fields: UTF8Text, bits: Int) throws {
        #expect(try BootstrapURIProfile(parsing: fields).bitCount == bits)
    }

    @Test("At least 48 bits survive the selection, unless fewer are meant")
    func fewBitsMustBeMeant() throws {
        #expect(throws: ProfileError.tooFewBits(44)) {
            try BootstrapURIProfile(parsing: "alphabet=hex,selection=last:11")
        }
        #expect(throws: ProfileError.tooFewBits(32)) {
            try BootstrapURIProfile(parsing: "suite=sha-256-32,alphabet=hex,selection=all")
        }
        let meant = try BootstrapURIProfile(parsing: "alphabet=hex,selection=last:1,short-names=yes")
        #expect(meant.bitCount == 4)
        #expect(meant.allowsShortNames)
    }

    private static let contradictions: [(fields: UTF8Text, error: ProfileError)] = [
        ("parameters=endpoint+endpoint", .invalid(.parameters)),
        ("parameters=endpoint+random", .counterMismatch), ("counter=1", .counterMismatch),
        ("combination=concatenation:3", .invalid(.combination)),
        ("combination=secret-into-parameters:256", .invalid(.combination)),
        ("combination=parameters-into-secret:256", .invalid(.combination)),
        ("selection=first:0", .invalid(.selection)), ("selection=first:53", .invalid(.selection)),
        ("selection=last:0", .invalid(.selection)), ("selection=last:53", .invalid(.selection)),
        ("selection=positions:52", .invalid(.selection)), ("selection=positions:1+1", .invalid(.selection)),
        ("alphabet=base64url", .alphabetNotForHosts), ("alphabet=base64url,insertion=own-label", .alphabetNotForHosts),
        ("insertion=label-offset:64", .invalid(.insertion)), ("insertion=query:a b", .invalid(.insertion)),
        ("insertion=query:", .invalid(.insertion)),
        ("insertion=query:abcdefghijklmnopqrstuvwxyz0123456", .invalid(.insertion)),
        ("part=after:endpoint:first:0", .invalid(.part)), ("part=after:endpoint:first:64", .invalid(.part)),
        ("part=after:random:first:4", .partOfUnusedParameter),
        ("parameters=time,part=after:endpoint:first:4", .partOfUnusedParameter),
        ("period=0", .invalid(.period)), ("period=315360001", .invalid(.period)),
        ("clock-skew=86401", .invalid(.clockSkew)),
    ]

    @Test("A dimension outside its range, or against another, is a typed error", arguments: contradictions)
    func refusesContradictions(_ fields: UTF8Text, error: ProfileError) {
        #expect(throws: error) { try BootstrapURIProfile(parsing: fields) }
        #expect(!error.description.isEmpty)
    }

    @Test func negativeNumbersInCodeAreRefusedAsInText() {
        #expect(throws: ProfileError.invalid(.selection)) { try BootstrapURIProfile(selection: .first(-1)) }
        #expect(throws: ProfileError.invalid(.selection)) { try BootstrapURIProfile(selection: .last(.min)) }
        #expect(throws: ProfileError.invalid(.selection)) { try BootstrapURIProfile(selection: .positions([-1])) }
        #expect(throws: ProfileError.invalid(.selection)) { try BootstrapURIProfile(selection: .positions([])) }
        #expect(throws: ProfileError.invalid(.insertion)) {
            try BootstrapURIProfile(insertion: .offsetInFirstLabel(-1))
        }
        #expect(throws: ProfileError.invalid(.combination)) {
            try BootstrapURIProfile(combination: .concatenation(secretAt: -1))
        }
        #expect(throws: ProfileError.invalid(.period)) { try BootstrapURIProfile(period: .min) }
        #expect(throws: ProfileError.invalid(.clockSkew)) { try BootstrapURIProfile(clockSkew: -1) }
    }
}
