import CoAPTransport
import NameRegistry
import NameResolution
import Primitives
import Testing

/// The devices' own resolver asks the responder, both on one loop.
@Suite("Embedded responder: the devices' resolver")
struct ResolverTests {
    private func resolver(_ harness: ResponderHarness) throws -> NameResolver {
        let address = harness.responder.address
        let host = UTF8Text(address.addressBytes.map(String.init).joined(separator: "."))
        let loop = harness.loop
        // The resolver outlives no test, and the loop does not outlive the resolver's descriptors.
        weak var made: NameResolver?
        let resolver = try NameResolver(
            configuration: .init(servers: [.init(address: host, port: address.port)], timeout: .seconds(2), tries: 3)
        ) { descriptor, readable, writable in
            loop.watch(descriptor: descriptor, readable: readable, writable: writable) { readable, writable in
                made?.process(descriptor: descriptor, readable: readable, writable: writable, now: loop.now)
            }
        }
        made = resolver
        return resolver
    }

    @Test("names resolve, others do not exist, and 2,000 lookups at once get 2,000 results")
    func resolves() throws {
        let harness = try ResponderHarness()
        try harness.publish((0..<1000).map { ("bs\($0).example.test", [127, 0, UInt8($0 / 250), UInt8($0 % 250)]) })
        let resolver = try self.resolver(harness)
        var found: [Int: [UInt8]] = [:]
        var failures: [Int: NameResolutionError] = [:]
        for number in 0..<2000 {
            resolver.resolve(UTF8Text("BS\(number).example.test"), now: harness.loop.now) { result in
                switch result {
                case .success(let name): found[number] = name.addresses.first?.bytes
                case .failure(let failure): failures[number] = failure
                }
            }
        }
        try harness.turn {
            resolver.processTimeouts(now: harness.loop.now)
            return found.count + failures.count == 2000
        }
        #expect(found.count == 1000)
        for (number, address) in found { #expect(address == [127, 0, UInt8(number / 250), UInt8(number % 250)]) }
        #expect(failures.keys.allSatisfy { $0 >= 1000 })
        #expect(failures.values.allSatisfy { $0 == .notFound })
        #expect(harness.responder.counters.answered == 1000)
    }
}
