import Testing

/// The numbers of a fleet's JSON report that tests look at.
struct FleetReportFile {
    /// Devices that a server accepted.
    let registered: Int
    /// Devices that a server accepted an update of.
    let updated: Int
    /// Devices that said goodbye and were heard.
    let deregistered: Int
    /// Devices that were not registered when the run ended.
    let failed: Int

    init(_ json: Any) throws {
        let report = try #require(json as? [String: Any])
        let devices = try #require(report["devices"] as? [String: Any])
        func count(_ key: String) throws -> Int { try #require(devices[key] as? Int, "no key devices.\(key)") }
        self.registered = try count("registered")
        self.updated = try count("updated")
        self.deregistered = try count("deregistered")
        self.failed = try count("failed")
    }
}
