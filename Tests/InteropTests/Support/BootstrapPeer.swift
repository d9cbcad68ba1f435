import Testing

/// libcoap's client as a device that asks an instance for bootstrap, under any name it likes.
struct BootstrapPeer {
    private let uri: String
    private let identity: String
    private let client: Program

    /// - Parameter identity: its DTLS identity at a site whose devices share a key.
    init(_ site: BootstrapSite, identity: String) throws {
        self.uri = "coaps://127.0.28.11:\(site.port)/bs"
        self.identity = identity
        self.client = try #require(Program.coapClient)
    }

    /// Sends a Bootstrap-Request, and returns the code of its answer, as `4.03`.
    ///
    /// - Parameters:
    ///   - endpoint: the endpoint name in the request.
    ///   - host: what stands in Uri-Host.
    func ask(as endpoint: String, host: String) throws -> String {
        let result = try self.client.run(
            [
                "-m", "post", "-u", self.identity, "-k", SharedKey.text, "-O", "3,\(host)", "-v", "6", "-B", "5",
                "\(self.uri)?ep=\(endpoint)",
            ],
            limit: 30
        )
        let text = result.output + result.errors
        let answer = try #require(
            text.split(separator: "\n").first { $0.contains(" c:2.") || $0.contains(" c:4.") },
            "\(text)"
        )
        return try String(#require(answer.split(separator: "c:").last).prefix(4))
    }
}
