import BootstrapURIs
import ClientEngine
import CoAPMessages
import Primitives
import Testing

@Suite("Bootstrap at temporary URIs, whatever network, servers and clock do")
struct BootstrapNameHostileTests {
    /// A device in some state, and the world's next move.
    struct World {
        var driver: EngineDriver
        var generator: SeededGenerator
        var session: SessionID?
        var request: RequestID?
        var openedURIs: [CoAPURI] = []

        init(_ profile: BootstrapURIProfile, seed: UInt64) {
            self.generator = SeededGenerator(seed: seed)
            self.driver = BootstrapNameTests.driver(profile, clock: BootstrapNameTests.border)
            self.take(self.driver.handle(.started))
        }

        mutating func take(_ outputs: [ClientOutput]) {
            #expect(outputs.count <= 6)
            for output in outputs {
                switch output {
                case .openSession(let session, let uri, _):
                    #expect(self.session == nil)
                    self.session = session
                    self.openedURIs.append(uri)
                case .closeSession(let session):
                    #expect(self.session == session)
                    self.session = nil
                    self.request = nil
                case .sendRequest(let request, _, _): self.request = request
                default: break
                }
            }
        }

        mutating func move() {
            switch Int.random(in: 0..<10, using: &self.generator) {
            case 0...2:
                guard let session = self.session, self.request == nil else { return self.wait() }
                self.take(self.driver.handle(.sessionOpened(session)))
            case 3:
                guard let session = self.session else { return self.wait() }
                self.session = nil
                self.request = nil
                let failures: [SessionFailure] = [
                    .nameNotFound, .nameResolutionFailed, .unreachable, .handshakeRefused, .closed, .local,
                ]
                let failure = failures.randomElement(using: &self.generator) ?? .local
                self.take(self.driver.handle(.sessionClosed(session, failure)))
            case 4, 5:
                guard let request = self.request else { return self.wait() }
                self.request = nil
                self.take(self.driver.handle(.responseReceived(request, self.response())))
            case 6:
                guard let request = self.request else { return self.wait() }
                self.request = nil
                self.take(self.driver.handle(.requestFailed(request, .timedOut)))
            case 7:
                let time = WallTime(secondsSinceEpoch: Int64.random(in: .min...(.max), using: &self.generator))
                self.take(self.driver.handle(.clockSet(time)))
            case 8:
                let step = Int64.random(in: -4000...4000, using: &self.generator)
                let time = WallTime(secondsSinceEpoch: BootstrapNameTests.border + step)
                self.take(self.driver.handle(.clockSet(time)))
            default:
                self.take(self.driver.handle(.clockLost))
            }
        }

        private mutating func wait() { self.take(self.driver.jump()) }

        private mutating func response() -> CoAPResponse {
            let codes: [CoAPCode] = [.serviceUnavailable, .serviceUnavailable, .forbidden, .badRequest, .changed]
            var response = CoAPResponse(codes.randomElement(using: &self.generator) ?? .changed)
            let ages: [UInt64] = [0, 1, 60, 4_000_000_000, .max]
            if Bool.random(using: &self.generator), let age = ages.randomElement(using: &self.generator) {
                response.options.append(.maxAge, unsigned: age)
            }
            return response
        }
    }

    @Test("The device always waits for something, and never asks at the static URI unasked", arguments: 0..<8)
    func neverStandsStill(seed: UInt64) throws {
        let fields: UTF8Text = seed % 2 == 0 ? "regenerate=yes" : "regenerate=no"
        var world = World(try BootstrapURIProfile(parsing: fields), seed: seed)
        let staticHost = try CoAPURI(parsing: BootstrapNameTests.staticURI).host
        for _ in 0..<3000 {
            world.move()
            #expect(world.session != nil || world.driver.engine.nextDeadline != nil)
        }
        #expect(!world.openedURIs.isEmpty)
        #expect(world.openedURIs.allSatisfy { $0.host != staticHost })
    }

    @Test("A server that asks for patience for ever is left after 100 times, for the back-off")
    func endsAHoldWithoutEnd() throws {
        var driver = BootstrapNameTests.driver(clock: BootstrapNameTests.middle)
        var holding = CoAPResponse(.serviceUnavailable)
        holding.options.append(.maxAge, unsigned: .max)
        var outputs = driver.handle(.started)
        var holds = 0
        while let session = outputs.openedSession, holds <= 200 {
            let request = try #require(driver.handle(.sessionOpened(session)).sentRequest)
            driver.handle(.responseReceived(request.id, holding))
            guard driver.takeReports().contains(.bootstrapHeld(seconds: 3600)) else { break }
            holds += 1
            let before = driver.now
            outputs = driver.jump()
            #expect(before.duration(to: driver.now) <= .seconds(4500))
        }
        #expect(holds == 100)
    }
}
