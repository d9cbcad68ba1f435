import ArgumentParser

@main struct Starling: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "starling",
        abstract: "LwM2M devices, fleets of them, and the servers to try them on.",
        subcommands: [
            FleetCommand.self
        ]
    )
}
