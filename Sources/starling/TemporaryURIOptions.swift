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
            throw ServiceError(error.description, hint: "'starling uri --help' shows every field of a profile")
        }
    }

    /// The fields of an option, from the file that it names or from itself.
    private static func text(_ text: String) throws(ServiceError) -> String {
        guard text.hasPrefix("@") else { return text }
        let path = String(text.dropFirst())
        guard let file = FileHandle(forReadingAtPath: path),
            let data = try? file.read(upToCount: BootstrapURIProfile.largestText + 1)
        else { throw ServiceError("the profile '\(path)' cannot be read", hint: "check the path and its permissions") }
        return String(decoding: data, as: UTF8.self)
    }
}
