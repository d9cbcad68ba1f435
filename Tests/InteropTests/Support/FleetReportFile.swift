import Testing

/// The numbers of a fleet's JSON report that tests look at.
struct FleetReportFile {
    let registered: Int
    let failed: Int

    init(_ json: Any) throws {
        let report = try #require(json as? [String: Any])
        let devices = try #require(report["devices"] as? [String: Any])
        self.registered = try #require(devices["registered"] as? Int)
        self.failed = try #require(devices["failed"] as? Int)
    }
}
