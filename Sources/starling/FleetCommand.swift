import ArgumentParser

/// Virtual devices by the thousand.
struct FleetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet",
        abstract: "Run thousands of virtual devices against real servers.",
        subcommands: [FleetRunCommand.self, FleetSimulateCommand.self]
    )
}
