import BootstrapURIs
import CoAPMessages
import CryptographicHashes
import Foundation
import Primitives
import TestSupport
import Testing

/// A vector of `derivations.json`.
struct DerivationVector: Decodable, CustomTestStringConvertible {
    let title: String
    let profile: String
    let `static`: String
    let secret: String
    let endpoint: String
    let time: Int64
    let window: Int64
    let parameters: [String]
    let message: String?
    let derivative: String
    let ni: String?
    let text: String
    let selected: String
    let part: String
    let name: String
    let uri: String

    var testDescription: String { self.title }

    static let all: [DerivationVector] = {
        guard let bytes = try? Fixtures.vector("BootstrapURIs/derivations.json"),
            let vectors = try? JSONDecoder().decode([DerivationVector].self, from: Data(bytes))
        else { return [] }
        return vectors
    }()
}

/// A vector of `rfc6920-named-information.json`.
struct NamedInformationVector: Decodable, CustomTestStringConvertible {
    let source: String
    let input: String
    let suite: String
    let derivative: String
    let ni: String

    var testDescription: String { "\(self.source), \(self.suite)" }

    static let all: [NamedInformationVector] = {
        guard let bytes = try? Fixtures.vector("BootstrapURIs/rfc6920-named-information.json"),
            let vectors = try? JSONDecoder().decode([NamedInformationVector].self, from: Data(bytes))
        else { return [] }
        return vectors
    }()
}

@Suite struct DerivationVectorTests {
    @Test func theFilesAreThere() {
        #expect(DerivationVector.all.count >= 100)
        #expect(NamedInformationVector.all.count == 5)
    }

    @Test(arguments: DerivationVector.all)
    func everyStepIsThatOfTheVector(_ vector: DerivationVector) throws {
        let profile = try BootstrapURIProfile(parsing: UTF8Text(vector.profile))
        let uris = try TemporaryURIs(profile: profile, staticURI: CoAPURI(parsing: UTF8Text(vector.static)))
        let window = profile.window(at: WallTime(secondsSinceEpoch: vector.time))
        #expect(window.stamp == vector.window)

        let secret = SecretBytes(hex(vector.secret))
        let endpoint = UTF8Text(vector.endpoint)
        let steps = try uris.derivation(secret: secret, endpoint: endpoint, window: window, hashes: .libCrypto)
        #expect(steps.window == window)
        #expect(steps.parameters.map { Hexadecimal.encode($0.bytes) } == vector.parameters)
        #expect(steps.parameters.map(\.parameter) == profile.parameters)
        #expect(steps.message.map(Hexadecimal.encode) == vector.message)
        #expect(Hexadecimal.encode(steps.derivative) == vector.derivative)
        #expect(steps.namedInformation?.string == vector.ni)
        #expect(steps.text.string == vector.text)
        #expect(steps.selected.string == vector.selected)
        #expect(steps.part.string == vector.part)
        #expect(steps.name.string == vector.name)
        #expect(steps.uri.text == vector.uri)

        let uri = try uris.uri(secret: secret, endpoint: endpoint, window: window, hashes: .libCrypto)
        #expect(uri == steps.uri)
        let host = try uris.host(secret: secret, endpoint: endpoint, window: window, hashes: .libCrypto)
        #expect(host == steps.uri.host)
    }

    @Test("Every dimension has a vector") func everyDimensionHasAVector() throws {
        let profiles = try DerivationVector.all.map { try BootstrapURIProfile(parsing: UTF8Text($0.profile)) }
        for suite in HashSuite.allCases { #expect(profiles.contains { $0.suite == suite }) }
        for alphabet in NameAlphabet.allCases { #expect(profiles.contains { $0.alphabet == alphabet }) }
        for rounding in TimeRounding.allCases { #expect(profiles.contains { $0.rounding == rounding }) }
        for form in TimeStampForm.allCases { #expect(profiles.contains { $0.timeForm == form }) }
        for parameter in DerivationParameter.allCases {
            #expect(profiles.contains { $0.parameters == [parameter] })
            #expect(profiles.contains { $0.part?.parameter == parameter })
        }
    }

    @Test("RFC 6920, sections 3 and 8", arguments: NamedInformationVector.all)
    func namedInformationIsThatOfTheRFC(_ vector: NamedInformationVector) throws {
        let suite = try #require(HashSuite.allCases.first { $0.name == UTF8Text(vector.suite) })
        let digest = HashFunctions.libCrypto.sha256(of: hex(vector.input)).bytes
        let derivative = Array(digest.prefix(suite.byteCount))
        #expect(derivative == hex(vector.derivative))
        #expect(suite.namedInformation(derivative)?.string == vector.ni)
    }

    @Test("RFC 6920, section 8: a secret alone is hashed as it is", arguments: NamedInformationVector.all)
    func aWholeDerivationGivesTheNamesOfTheRFC(_ vector: NamedInformationVector) throws {
        let text = "parameters=none,combination=concatenation,alphabet=hex,selection=all,insertion=path"
        let profile = try BootstrapURIProfile(
            parsing: UTF8Text("\(text),suite=\(vector.suite),short-names=yes,test=yes")
        )
        let uris = try TemporaryURIs(profile: profile, staticURI: CoAPURI(parsing: "coap://bs.example.test"))
        let steps = try uris.derivation(
            secret: SecretBytes(hex(vector.input)),
            endpoint: "",
            window: TimeWindow(stamp: 0),
            hashes: .libCrypto
        )
        #expect(steps.namedInformation?.string == vector.ni)
        #expect(steps.uri.text == "coap://bs.example.test/\(vector.derivative)")
    }

    @Test func aDerivativeOfAnotherLengthHasNoNamedInformation() {
        #expect(HashSuite.sha256First32.namedInformation([1, 2, 3]) == nil)
        #expect(HashSuite.hmacSHA256.namedInformation([UInt8](repeating: 0, count: 32)) == nil)
    }
}
