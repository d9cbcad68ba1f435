import CoAPMessages
import CoAPTransport
import Glibc
import Primitives

/// The transport's cost: `server PORTS KEY` answers registrations, `client HOST PORTS COUNT IN_FLIGHT KEY PREFIX` makes
/// as many devices shake hands and register, and prints what that cost its own process.
@main struct TransportBenchmark {
    static func main() throws {
        let arguments = CommandLine.arguments
        switch arguments.dropFirst().first {
        case "server" where arguments.count == 4:
            guard let ports = Int(arguments[2]), let key = SecretBytes(hexadecimalText: arguments[3]) else { exit(64) }
            try ServerSide.run(ports: ports, key: key)
        case "client" where arguments.count == 8:
            guard let count = Int(arguments[4]), let inFlight = Int(arguments[5]),
                let key = SecretBytes(hexadecimalText: arguments[6])
            else { exit(64) }
            let addresses = arguments[3].split(separator: ",").compactMap {
                SocketAddress(parsing: UTF8Text("\(arguments[2]):\($0)"))
            }
            let client = try ClientSide(
                addresses: addresses,
                count: count,
                inFlight: inFlight,
                key: key,
                prefix: Array(arguments[7].utf8)
            )
            try client.run()
        default:
            print("usage: TransportBenchmark server PORTS KEY | client HOST PORTS COUNT IN_FLIGHT KEY PREFIX")
            exit(64)
        }
    }
}

extension SecretBytes {
    /// A key from pairs of hexadecimal digits.
    init?(hexadecimalText text: String) {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.count, digits.count.isMultiple(of: 2) else { return nil }
        self.init(stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) })
    }
}

/// What the process has used.
struct Usage {
    let cpuSeconds: Double
    let residentKiB: Double

    static var current: Usage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let user = Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) / 1e6
        let system = Double(usage.ru_stime.tv_sec) + Double(usage.ru_stime.tv_usec) / 1e6
        var size = 0
        var pages = 0
        if let file = fopen("/proc/self/statm", "r") {
            withUnsafeMutablePointer(to: &size) { size in
                withUnsafeMutablePointer(to: &pages) { pages in
                    _ = withVaList([size, pages]) { vfscanf(file, "%ld %ld", $0) }
                }
            }
            fclose(file)
        }
        return Usage(cpuSeconds: user + system, residentKiB: Double(pages * 4))
    }
}

/// Answers every POST with 2.01 and a location.
enum ServerSide {
    static func run(ports: Int, key: SecretBytes) throws {
        let loop = try EventLoop()
        var configuration = CoAPTransport.Configuration()
        configuration.cipherSuites = [.aes128CCM8]
        let transport = try CoAPTransport(configuration: configuration, loop: loop)
        transport.onEvent = { [unowned transport] event in
            guard case .requestReceived(let exchange, _, _, _, _) = event else { return }
            var response = CoAPResponse(.created)
            response.options.append(.locationPath, Array("rd".utf8))
            response.options.append(.locationPath, Array("5a3f".utf8))
            transport.respond(to: exchange, response)
        }
        var bound: [String] = []
        for _ in 0..<ports {
            let address = try transport.listen(
                on: SocketAddress(ipv4: (127, 0, 0, 1), port: 0),
                security: .preSharedKey(hint: []) { _ in key }
            )
            bound.append("\(address.port)")
        }
        print(bound.joined(separator: ","))
        fflush(nil)
        while true { loop.turn(until: nil) }
    }
}

/// Devices that shake hands and register, a bounded number at a time.
final class ClientSide {
    private let loop: EventLoop
    private let transport: CoAPTransport
    private let addresses: [SocketAddress]
    private let count: Int
    private let inFlight: Int
    private let key: SecretBytes
    private let prefix: [UInt8]
    private var opened = 0
    private var answered = 0
    private var failed = 0

    init(addresses: [SocketAddress], count: Int, inFlight: Int, key: SecretBytes, prefix: [UInt8]) throws {
        try CoAPTransport.checkDescriptorLimit(sessions: count)
        self.loop = try EventLoop()
        var configuration = CoAPTransport.Configuration()
        configuration.cipherSuites = [.aes128CCM8]
        configuration.compactsTLSMemory = getenv("PLAIN_MEMORY") == nil
        self.transport = try CoAPTransport(configuration: configuration, loop: self.loop)
        self.addresses = addresses
        self.count = count
        self.inFlight = inFlight
        self.key = key
        self.prefix = prefix
        self.transport.onEvent = { [unowned self] in self.handle($0) }
    }

    func run() throws {
        let before = Usage.current
        let start = self.loop.now
        while self.answered + self.failed < self.count {
            while self.opened < self.count, self.opened - self.answered - self.failed < self.inFlight {
                try self.open()
            }
            self.loop.turn(until: nil)
        }
        let after = Usage.current
        let seconds = Double(start.duration(to: self.loop.now).nanoseconds) / 1e9
        let cpu = (after.cpuSeconds - before.cpuSeconds) * 1_000 / Double(self.count)
        let memory = (after.residentKiB - before.residentKiB) / Double(self.count)
        print(
            """
            {"program": "CoAPTransport", "devices": \(self.count), "answered": \(self.answered), \
            "failed": \(self.failed), "seconds": \(rounded(seconds, 2)), \
            "cpuMillisecondsPerDevice": \(rounded(cpu, 4)), "residentKiBPerDevice": \(rounded(memory, 1))}
            """
        )
        fflush(nil)
        if let idle = getenv("IDLE_SECONDS"), let wait = Int(String(cString: idle)) {
            let quiet = Usage.current
            let end = self.loop.now.advanced(by: .seconds(wait))
            while self.loop.now < end { self.loop.turn(until: end) }
            let used = Usage.current.cpuSeconds - quiet.cpuSeconds
            print("{\"idlePercentOfACore\": \(rounded(used * 100 / Double(wait), 3))}")
            fflush(nil)
        }
        _exit(self.failed == 0 ? 0 : 1)
    }

    private func open() throws {
        let number = "\(self.opened)"
        let identity =
            self.prefix + Array(String(repeating: "0", count: max(0, 6 - number.count)).utf8) + Array(number.utf8)
        _ = try self.transport.openSession(
            to: self.addresses[self.opened % self.addresses.count],
            security: .preSharedKey(PreSharedKey(identity: identity, key: self.key), serverName: nil),
            // Several source addresses, so that ports do not run out beside others on this machine.
            from: SocketAddress(ipv4: (127, 0, 0, UInt8(2 + self.opened % 8)), port: 0),
            tag: UInt64(self.opened)
        )
        self.opened += 1
    }

    private func handle(_ event: TransportEvent) {
        switch event {
        case .sessionConnected(let session, let tag):
            let request = CoAPRequest(
                .post,
                path: ["rd"],
                query: [UTF8Text("ep=device-\(tag)"), "lt=300", "lwm2m=1.1", "b=U"],
                contentFormat: .linkFormat,
                payload: Array(
                    "</>;rt=\"oma.lwm2m\";ct=110,</1/0>,</3/0>,</4/0>,</5/0>,</6/0>,</3303/0>".utf8
                )
            )
            do throws(TransportError) { try self.transport.send(request, on: session, tag: 1) } catch {
                self.failed += 1
            }
        case .responseReceived:
            self.answered += 1
        case .requestFailed, .sessionClosed:
            self.failed += 1
        default:
            break
        }
    }
}

/// A number with so many digits behind the point.
func rounded(_ value: Double, _ digits: Int) -> Double {
    let factor = pow(10, Double(digits))
    return (value * factor).rounded() / factor
}
