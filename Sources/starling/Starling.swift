import ArgumentParser
import CoAPTransport
import Dispatch
import Foundation

@main struct Starling: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "starling",
        abstract: "LwM2M devices, fleets of them, and the servers to try them on.",
        subcommands: [
            DeviceCommand.self,
            FleetCommand.self,
            ServerCommand.self,
            GatewayServiceCommand.self,
            BootstrapCommand.self,
            BalancerCommand.self,
            CtlCommand.self,
            URICommand.self,
        ]
    )

    /// Runs the verb; those that loop over many sessions stay on the main thread.
    ///
    /// The main thread's heap grows in large steps, a second thread's page by page with a system call each, which costs
    /// a fleet several percent of its time.
    static func main() {
        do {
            var command = try self.parseAsRoot()
            if let waiting = command as? any AsyncParsableCommand {
                // Handed over: nothing but the task uses it from here on.
                nonisolated(unsafe) var waiting = waiting
                Task {
                    do {
                        try await waiting.run()
                        self.exit()
                    } catch {
                        self.exit(withError: error)
                    }
                }
                dispatchMain()
            }
            try command.run()
        } catch {
            self.exit(withError: error)
        }
    }

    /// Says that the CoAP library is another one than the fast path was proven with; nothing otherwise.
    static func showLibraryNotice() {
        if let notice = CoAPTransport.libraryNotice { StandardStream.error.write("Note: \(notice)\n") }
    }
}
