import BootstrapURIs
import CoAPMessages
import CryptographicHashes
import Glibc
import Primitives

/// The processor time to derive the temporary hosts of a million devices, each with a secret of its own.
enum DerivationBenchmark {
    private static let count = 1_000_000

    private static let profiles: [(name: String, fields: UTF8Text)] = [
        ("standard", ""),
        ("concatenation, SHA-256, hexadecimal", "combination=concatenation,suite=sha-256,alphabet=hex"),
        ("standard in decimal digits", "alphabet=decimal"),
        ("standard beside part of the endpoint", "part=before:endpoint:last:4"),
        ("endpoint, time and random variable", "parameters=endpoint+time+random,counter=1"),
    ]

    static func run() throws {
        let endpoints = (0..<self.count).map { UTF8Text("urn:dev:starling:\(1_000_000 + $0)") }
        let secrets = (0..<self.count).map { index in
            SecretBytes((0..<16).map { UInt8(truncatingIfNeeded: index >> ($0 % 3 * 8) &+ $0) })
        }
        print("\nhosts of \(self.count) devices                         s  ns a name")
        // What no derivation can do without: the hash of a message as long as that of the standard profile.
        let message = [UInt8](repeating: 0x61, count: 48)
        var sum = 0
        let start = self.processorTime
        for secret in secrets { sum &+= HashFunctions.libCrypto.hmacSHA256(of: message, key: secret).bytes.count }
        self.show("HMAC-SHA-256 alone", self.processorTime - start)
        if sum == 0 { exit(1) }
        for (name, fields) in self.profiles {
            let profile = try BootstrapURIProfile(parsing: fields)
            let uris = try TemporaryURIs(profile: profile, staticURI: CoAPURI(parsing: "coaps://bs.example.com"))
            let window = profile.window(at: WallTime(secondsSinceEpoch: 1_700_000_000))
            var hosts: [UTF8Text] = []
            hosts.reserveCapacity(self.count)
            let start = self.processorTime
            for index in 0..<self.count {
                hosts.append(
                    try uris.host(
                        secret: secrets[index],
                        endpoint: endpoints[index],
                        window: window,
                        hashes: .libCrypto
                    )
                )
            }
            let elapsed = self.processorTime - start
            guard Set(hosts).count == self.count else {
                print("\(name): two devices have one name")
                exit(1)
            }
            self.show(name, elapsed)
        }
    }

    private static func show(_ name: String, _ elapsed: Duration) {
        let milliseconds = Int(elapsed / .milliseconds(1))
        let seconds = "\(milliseconds / 1000).\(String(milliseconds % 1000 + 1000).dropFirst())"
        let nanoseconds = "\(Int(elapsed / .nanoseconds(1)) / self.count)"
        print("\(self.padded(name, 46))\(self.aligned(seconds, 6))\(self.aligned(nanoseconds, 11))")
    }

    /// What this process has computed for, so that others on the machine do not count.
    private static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private static func aligned(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
