import Testing

/// The numbers of a fleet's JSON report that tests look at.
struct FleetReportFile {
    /// Devices that finished a bootstrap.
    let bootstrapped: Int
    /// Devices that a server accepted.
    let registered: Int
    /// Devices that a server accepted an update of.
    let updated: Int
    /// Devices that said goodbye and were heard.
    let deregistered: Int
    /// Devices that were not registered when the run ended.
    let failed: Int
    /// Devices that had been registered and were not when the run ended.
    let lost: Int
    /// How often each failure happened, by its cause.
    let failures: [String: Int]
    /// How often devices went to which kind of temporary name, and what kept them; empty where they have none.
    let names: [String: Int]

    init(_ json: Any) throws {
        let report = try #require(json as? [String: Any])
        let devices = try #require(report["devices"] as? [String: Any])
        func count(_ key: String) throws -> Int { try #require(devices[key] as? Int, "no key devices.\(key)") }
        self.bootstrapped = try count("bootstrapped")
        self.registered = try count("registered")
        self.updated = try count("updated")
        self.deregistered = try count("deregistered")
        self.failed = try count("failed")
        self.lost = try count("lost")
        self.failures = report["failures"] as? [String: Int] ?? [:]
        self.names = report["names"] as? [String: Int] ?? [:]
    }
}
