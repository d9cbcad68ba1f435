import ArgumentParser
import DeviceConfiguration
@preconcurrency import Dispatch
import Foundation
import LwM2MClient

/// Runs one device, for a board or a desk.
struct DeviceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device",
        abstract: "Run one device as a YAML file describes it.",
        discussion: """
            Prints what the device does, a line per event. Ctrl-C deregisters and ends; a second Ctrl-C ends at once.

            Exit codes: 0 after Ctrl-C, 1 when the device cannot run, 64 for wrong arguments, 78 for a wrong file.
            """
    )

    @Argument(help: "The device's configuration, a YAML file.", completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Flag(help: "Print each event as a JSON object on a line of its own.")
    var json = false

    @Flag(help: "Print the URI that is tried for bootstrap too. A temporary one is a secret while its window lasts.")
    var verbose = false

    @Flag(help: "Print a configuration with every key explained, and end.")
    var printExample = false

    func validate() throws {
        guard self.printExample || self.config != nil else {
            throw ValidationError("Name a configuration file; --print-example shows one.")
        }
    }

    func run() async throws {
        StandardStream.outlivesItsReader()
        if self.printExample {
            print(DeviceConfigurationFile.example, terminator: "")
            return
        }
        Starling.showLibraryNotice()
        let output = DeviceEventPrinter(isJSON: self.json)
        let file: DeviceConfigurationFile
        do {
            file = try DeviceConfigurationFile(contentsOf: self.config ?? "")
        } catch {
            printError("\(error)")
            throw ExitCode(78)
        }
        do {
            let client = try LwM2MClient(configuration: file.client)
            for object in file.objects { try await client.add(object) }
            await client.onExecute("/3/0/4") { _ in output.printNote("reboot", "a server asked for a reboot") }
            for object in file.objects { await self.acceptExecutes(of: object, client, output) }
            try await self.run(client, output)
        } catch let error as LwM2MError {
            printError("\(error)")
            throw ExitCode.failure
        }
    }

    private func acceptExecutes(of object: DeviceObject, _ client: LwM2MClient, _ output: DeviceEventPrinter) async {
        for path in object.executablePaths {
            await client.onExecute(path) { _ in output.printNote("executed", "a server executed \(path)") }
        }
    }

    private func run(_ client: LwM2MClient, _ output: DeviceEventPrinter) async throws {
        let isVerbose = self.verbose
        let printing = Task {
            for await event in client.events {
                output.print(event)
                if isVerbose, case .bootstrapNameTried = event, let uri = await client.bootstrapURI {
                    output.printNote("bootstrapURI", uri)
                }
            }
        }
        let running = Task { try await client.run() }
        let interrupts = Interrupts { count in
            if count > 1 { Foundation.exit(130) }
            running.cancel()
        }
        defer { interrupts.stop() }
        try await running.value
        // What the client did last is printed before the program ends.
        client.finishEvents()
        await printing.value
    }

    private func printError(_ text: String) {
        StandardStream.error.write("error: \(text)\n")
    }
}

/// Ctrl-C and the polite kill, counted.
final class Interrupts: Sendable {
    private let sources: [any DispatchSourceSignal]

    init(_ handler: @escaping @Sendable (_ count: Int) -> Void) {
        let queue = DispatchQueue(label: "interrupts")
        // Only the serial queue touches it.
        nonisolated(unsafe) var count = 0
        self.sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                count += 1
                handler(count)
            }
            source.resume()
            return source
        }
    }

    func stop() {
        for source in self.sources { source.cancel() }
    }
}
