import Testing

/// The numbers of a fleet's JSON report that tests look at.
struct FleetReportFile {
    /// Devices that were registered at any time.
    let registered: Int
    /// Started devices that were not registered when the run ended.
    let lost: Int
    /// Devices that had not finished deregistering.
    let notDeregistered: Int

    init(_ json: Any) throws {
        let report = try #require(json as? [String: Any])
        let devices = try #require(report["devices"] as? [String: Any])
        self.registered = try #require(devices["registered"] as? Int)
        self.lost = try #require(devices["lost"] as? Int)
        self.notDeregistered = try #require(devices["notDeregistered"] as? Int)
    }
}
