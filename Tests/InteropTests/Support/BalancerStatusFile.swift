import Foundation

/// The numbers of `starling ctl balancer status --json` that tests look at.
struct BalancerStatusFile: Decodable {
    struct Instance: Decodable {
        let name: String
        let isUp: Bool
        let names: Int
        let inProgress: Int
        let started: Int
        let completed: Int
        let failed: Int
    }

    struct Names: Decodable {
        let published: Int
    }

    struct Devices: Decodable {
        let known: Int
        let inProgress: Int
        let completed: Int
    }

    struct Registry: Decodable {
        let state: String
        let failures: Int
    }

    let instances: [Instance]
    let names: Names
    let devices: Devices
    let registry: Registry
    let window: Int64?

    init(_ text: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
    }
}
