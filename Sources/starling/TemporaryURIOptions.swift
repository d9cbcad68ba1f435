import ArgumentParser
import BootstrapURIs
import CoAPMessages
import Foundation
import Primitives
import ServiceSupport

/// What temporary bootstrap URIs are made of, alike for everybody who derives them.
struct TemporaryURIOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How temporary names are derived: name=value with commas between, or @FILE with them.",
            valueName: "fields"
        )
    )
    var profile: String?
    @Option(help: ArgumentHelp("The URI that temporary ones are made from.", valueName: "uri"))
    var staticUri: String?

    private static let largestFile = 4096

    /// - Returns: nil when neither option is given.
    func uris() throws(ServiceError) -> TemporaryURIs? {
        guard self.profile != nil || self.staticUri != nil else { return nil }
        guard let staticUri else {
            throw ServiceError("--profile needs a URI to go into", hint: "--static-uri coaps://bs.example.com:5684")
        }
        let uri: CoAPURI
        do { uri = try CoAPURI(parsing: UTF8Text(staticUri)) } catch {
            throw ServiceError("'\(staticUri)' is no CoAP URI", hint: "write it as coaps://bs.example.com:5684")
        }
        let text = try self.profile.map { text throws(ServiceError) in try Self.text(text) } ?? ""
        do throws(ProfileError) {
            return try TemporaryURIs(profile: BootstrapURIProfile(parsing: UTF8Text(text)), staticURI: uri)
        } catch {
            throw ServiceError("the profile cannot be used", hint: Self.words(error))
        }
    }

    /// The fields of an option, from the file that it names or from itself.
    private static func text(_ text: String) throws(ServiceError) -> String {
        guard text.hasPrefix("@") else { return text }
        let path = String(text.dropFirst())
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: self.largestFile)
        else { throw ServiceError("the profile '\(path)' cannot be read", hint: "check the path and its permissions") }
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.hasPrefix("#") && !$0.isEmpty }
            .joined(separator: ",")
    }

    private static func words(_ error: ProfileError) -> String {
        switch error {
        case .invalidField(let name): "'\(name)' is no field of a profile, or has another value than it can have"
        case .invalidParameters: "a parameter stands twice, or 'random' and 'counter' do not stand together"
        case .noParameters: "name at least one parameter: parameters=endpoint+time"
        case .invalidPeriod: "the period is 1 to 31622400 seconds, the clock skew at most half of it"
        case .invalidSelection: "the selection is empty, or longer than the text: selection=last:16"
        case .tooFewBits(let bits):
            "\(bits) bits survive the selection; 48 do not collide, short-names=yes allows fewer"
        case .caseSensitiveHost: "a host has no upper and lower case; choose alphabet=base32"
        case .hostIsAddress: "the static URI has an address where a host name must be"
        case .invalidOffset: "the offset lies behind the end of the first label"
        case .labelTooLong: "the first label of the host would have more than 63 characters"
        case .tooLong: "the host would have more than 253 characters, or the URI more than 255"
        case .invalidHost: "the labels of the host are letters, digits and inner hyphens"
        case .invalidLink: "the profile belongs to no Security instance"
        }
    }
}
