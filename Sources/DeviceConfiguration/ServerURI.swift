internal import CoAPMessages
internal import NameResolution
internal import Primitives

/// What a configuration must know about addresses before it is used.
enum ServerURI {
    static func isValid(_ text: String) -> Bool { self.parse(text) != nil }

    static func isSecured(_ text: String) -> Bool { self.parse(text)?.scheme == .coaps }

    static func isNameServer(_ text: String) -> Bool {
        NameResolver.Configuration.Server(parsing: UTF8Text(text)) != nil
    }

    private static func parse(_ text: String) -> CoAPURI? {
        do { return try CoAPURI(parsing: UTF8Text(text)) } catch { return nil }
    }
}
