internal import Glibc
public import LwM2MClient
internal import Primitives
internal import Yams

/// A device as a YAML file describes it.
public struct DeviceConfigurationFile: Sendable {
    /// The largest file, in bytes.
    public static let largestFile = 65_536

    /// What the client starts with.
    public let client: LwM2MClient.Configuration
    /// The objects besides 0, 1 and 3.
    public let objects: [DeviceObject]

    /// Reads a file; a relative `store` is taken from the file's folder.
    public init(contentsOf path: String) throws(DeviceConfigurationError) {
        let text = try Self.read(path)
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        try self.init(yaml: text, file: path, folder: folder)
    }

    /// Reads YAML text.
    ///
    /// - Parameters:
    ///   - text: one mapping; ``example`` shows every key.
    ///   - file: the name that errors mention.
    ///   - folder: what a relative `store` is taken from, with its final slash; empty for the working folder.
    public init(yaml text: String, file: String, folder: String = "") throws(DeviceConfigurationError) {
        let root = try YAMLMapping(text: text, file: file)
        try root.allowOnly([
            "endpoint", "server", "bootstrap", "bootstrapURI", "ownObjectIDs", "psk", "clock", "lifetime", "store",
            "commandSessions", "dns", "device", "objects", "stop-timeout",
        ])
        let (uri, role) = try Self.readServer(root)
        var client = LwM2MClient.Configuration(endpoint: try root.text("endpoint"), server: uri, role: role)
        if let endpoint = client.endpoint, !(1...255).contains(endpoint.utf8.count) {
            throw root.error(.invalid, "endpoint", "1 to 255 bytes, as in urn:dev:ops:32473-Thermometer-1")
        }
        client.security = try Self.readSecurity(root, uri: uri)
        client.bootstrapURIProfile = try ProfileSection.read(root, role: role, uri: uri)
        if let ids = try ProfileSection.readOwnObjectIDs(root) { client.ownObjectIDs = ids }
        (client.sessionPolicy, client.sessionIdentifiers) = try SessionSection.read(root)
        if let clock = try root.text("clock") {
            switch clock {
            case "system": client.clock = .system
            case "unknown": client.clock = .unknown
            default: throw root.error(.invalid, "clock", "system, or unknown for a device that has no clock")
            }
        }
        if let lifetime = try root.duration("lifetime") {
            guard lifetime.components.seconds <= Int64(UInt32.max), lifetime == .seconds(lifetime.components.seconds)
            else {
                throw root.error(.invalid, "lifetime", "whole seconds, as in 300s or 1d")
            }
            client.lifetime = lifetime
        }
        if let timeout = try root.duration("stop-timeout") { client.stopTimeout = timeout }
        if let store = try root.text("store") {
            guard !store.isEmpty, !store.utf8.contains(0) else {
                throw root.error(.invalid, "store", "a folder, as in ./thermometer-1")
            }
            client.store = store.hasPrefix("/") ? store : folder + store
        }
        client.nameServers = try Self.readNameServers(root)
        if let device = try root.mapping("device") {
            try device.allowOnly(["manufacturer", "model", "serial", "firmware"])
            client.device = LwM2MClient.DeviceInformation(
                manufacturer: try device.text("manufacturer"),
                model: try device.text("model"),
                serialNumber: try device.text("serial"),
                firmwareVersion: try device.text("firmware")
            )
        }
        self.client = client
        self.objects = try ObjectSection.read(root)
    }

    private static func readServer(
        _ root: YAMLMapping
    ) throws(DeviceConfigurationError) -> (String, LwM2MClient.Configuration.Role) {
        let server = try root.text("server")
        let bootstrap = try root.text("bootstrap")
        switch (server, bootstrap) {
        case (nil, nil): throw root.error(.missing, "server", "name a server or a bootstrap server: coaps://HOST:PORT")
        case (.some, .some):
            throw root.error(.invalid, "bootstrap", "leave out server or bootstrap: a device starts at one")
        case (.some(let uri), nil):
            try self.check(uri, "server", root)
            return (uri, .management)
        case (nil, .some(let uri)):
            try self.check(uri, "bootstrap", root)
            return (uri, .bootstrap)
        }
    }

    private static func check(_ uri: String, _ key: String, _ root: YAMLMapping) throws(DeviceConfigurationError) {
        guard ServerURI.isValid(uri) else {
            throw root.error(.invalid, key, "a URI as coaps://lwm2m.example.com or coap://[2001:db8::1]:5683")
        }
    }

    private static func readSecurity(
        _ root: YAMLMapping,
        uri: String
    ) throws(DeviceConfigurationError) -> LwM2MClient.Security {
        guard let psk = try root.mapping("psk") else {
            guard !ServerURI.isSecured(uri) else {
                throw root.error(.missing, "psk", "coaps:// needs psk with identity and key")
            }
            return .none
        }
        guard ServerURI.isSecured(uri) else {
            throw root.error(.invalid, "psk", "coap:// would not use it: write coaps://, or leave psk out")
        }
        try psk.allowOnly(["identity", "key"])
        guard let identity = try psk.text("identity") else {
            throw psk.error(.missing, "identity", "the name by which the server knows the key")
        }
        guard (1...255).contains(identity.utf8.count) else { throw psk.error(.invalid, "identity", "1 to 255 bytes") }
        guard let digits = try psk.text("key") else {
            throw psk.error(.missing, "key", "hexadecimal digits in quotes, as made by: openssl rand -hex 16")
        }
        guard let key = Hexadecimal.decode(digits), (1...64).contains(key.count) else {
            throw psk.error(.invalid, "key", "2 to 128 hexadecimal digits in quotes, as made by: openssl rand -hex 16")
        }
        return .preSharedKey(identity: identity, key: key)
    }

    private static func readNameServers(_ root: YAMLMapping) throws(DeviceConfigurationError) -> [String] {
        let servers = try root.texts("dns") ?? []
        for server in servers where !ServerURI.isNameServer(server) {
            throw root.error(.invalid, "dns", "addresses, as in [192.0.2.53, \"[2001:db8::53]:5353\"]")
        }
        return servers
    }

    private static func read(_ path: String) throws(DeviceConfigurationError) -> String {
        func problem(_ problem: DeviceConfigurationError.Problem, _ hint: String) -> DeviceConfigurationError {
            DeviceConfigurationError(problem: problem, file: path, line: nil, key: nil, hint: hint)
        }
        guard let file = fopen(path, "rb") else {
            throw problem(.unreadable, String(cString: strerror(errno)).lowercased())
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: self.largestFile + 1)
        let count = fread(&bytes, 1, bytes.count, file)
        guard ferror(file) == 0 else { throw problem(.unreadable, "check that it is a file") }
        guard count <= self.largestFile else { throw problem(.tooLarge(limit: self.largestFile), "") }
        guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
            throw problem(.notYAML, "it is not UTF-8 text")
        }
        return text
    }
}
