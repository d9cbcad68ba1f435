import ArgumentParser

@main struct Starling: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "starling",
        abstract: "LwM2M devices, fleets of them, and the servers to try them on.",
        subcommands: [
            DeviceCommand.self,
            FleetCommand.self,
            ServerCommand.self,
            BootstrapCommand.self,
            CtlCommand.self,
        ]
    )
}
