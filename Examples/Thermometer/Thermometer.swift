import LwM2MClient

/// A thermometer that a server reads and observes.
@main struct Thermometer {
    static func main() async throws {
        let client = try LwM2MClient(
            configuration: .init(
                endpoint: "urn:dev:ops:32473-Thermometer-1",
                server: "coaps://127.0.0.1:5684",
                security: .preSharedKey(
                    identity: "urn:dev:ops:32473-Thermometer-1",
                    key: Array("0123456789abcdef".utf8)
                )
            )
        )
        try await client.add(.temperature(celsius: 21.5))
        await client.onExecute("/3/0/4") { _ in print("a server asked for a reboot") }
        let weather = Task {
            for celsius in stride(from: 21.5, through: 25, by: 0.1) {
                try await client.set(.float(celsius), at: "/3303/0/5700")
                try await Task.sleep(for: .seconds(1))
            }
        }
        defer { weather.cancel() }
        try await client.run()
    }
}
