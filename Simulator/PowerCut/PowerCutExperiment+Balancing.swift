import BalancerEngine
import BootstrapEngine
import BootstrapURIs
import Primitives
import VirtualNetwork

// Temporary names: a balancer, its instances, what they tell it, and strangers who guess.
extension PowerCutExperiment {
    /// How many names strangers guess in a second.
    private static let guessesPerSecond = 1_000
    private static let devicesAtOnce = 10_000

    func addBalancer(_ uris: TemporaryURIs) {
        var configuration = BalancerConfiguration(writer: "balancer")
        configuration.maximumDevices = max(configuration.maximumDevices, self.configuration.devices)
        let derivation = NameDerivation(uris: uris, hashes: self.hashes)
        guard
            let balancer = try? BalancerPeer(
                configuration: configuration,
                derivation: derivation,
                network: self.network
            )
        else { return }
        self.balancer = balancer
        self.balancerNumber = self.network.add(balancer)
        for number in 1...self.configuration.instances {
            guard let address = IPAddress([198, 51, 100, UInt8(clamping: number)]) else { continue }
            self.addServer(UTF8Text("instance-\(number)"), at: address, uris: uris)
        }
        self.beginBalancing(balancer)
        let reports = MetronomePeer(from: .zero, every: configuration.reportInterval) { [unowned self] in
            self.reportInstances()
        }
        self.network.attend(to: self.network.add(reports))
        let count = MetronomePeer(from: .zero, every: .milliseconds(100)) { [unowned self] in self.notePublished() }
        self.network.attend(to: self.network.add(count))
    }

    private func beginBalancing(_ balancer: BalancerPeer) {
        let now = self.network.now
        balancer.deliver(.restored(BalancerSnapshot()), now: now)
        balancer.deliver(.clockSet(Self.civilTime(now)), now: now)
        var first = 0
        while first < self.configuration.devices {
            let end = min(first + Self.devicesAtOnce, self.configuration.devices)
            let devices = (first..<end).map {
                BalancerDevice(endpoint: self.blueprint.endpoint($0), secret: self.blueprint.key($0))
            }
            balancer.deliver(.devicesAdded(devices), now: now)
            first = end
        }
        balancer.deliver(.devicesLoaded, now: now)
        self.reportInstances()
    }

    private func reportInstances() {
        guard let balancer = self.balancer else { return }
        for server in self.servers.prefix(self.configuration.instances) {
            let instance = BootstrapInstance(name: server.name, addresses: [server.address])
            let inProgress = server.peer.engine.procedureCount
            balancer.deliver(.instanceReported(instance, inProgress: inProgress), now: self.network.now)
        }
        self.network.attend(to: self.balancerNumber)
    }

    /// Notes when the names of all devices lead somewhere for the first time.
    private func notePublished() {
        guard self.network.now < Self.powerReturns, self.result.names.publishedAfter == nil else { return }
        guard self.network.names.count - 1 >= self.configuration.devices else { return }
        self.result.names.published = self.network.names.count - 1
        self.result.names.publishedAfter = Self.rounded(Double(self.network.now.nanoseconds) / 1e9)
    }

    func guess() {
        for _ in 0..<Self.guessesPerSecond {
            self.result.strangers.guesses += 1
            if self.network.names.answer(self.stranger.guess()).address == nil {
                self.result.strangers.nameErrors += 1
            } else {
                self.result.strangers.hits += 1
            }
        }
    }

    func countNames(in result: inout PowerCutResult) {
        guard self.uris != nil else { return }
        let names = self.network.names
        result.names.updates = names.updates
        result.names.completed = self.balancer?.engine.status.completed ?? 0
        result.names.changes = names.changes
        result.names.answers = names.found - result.strangers.hits
        result.names.nameErrors = names.notFound - result.strangers.nameErrors
    }

    /// Lets an instance tell the balancer what it does, and ask it.
    func join(_ peer: BootstrapPeer, as instance: UTF8Text) {
        var sequence: UInt64 = 0
        peer.onProgress = { [unowned self] procedure, progress, endpoint, host in
            sequence += 1
            self.balancer?.notify(
                BootstrapNotification(
                    instance: instance,
                    endpoint: endpoint,
                    host: host,
                    event: BootstrapNotification.Event(progress),
                    procedure: UTF8Text("\(procedure.rawValue)"),
                    sequence: sequence
                ),
                now: self.network.now
            )
            self.network.attend(to: self.balancerNumber)
        }
        peer.pins = { [unowned self] endpoint, host in
            self.balancer?.engine.progress(of: endpoint)?.host == host
        }
    }
}

extension BootstrapNotification.Event {
    init(_ progress: BootstrapProgress) {
        switch progress {
        case .started: self = .started
        case .completed: self = .completed
        case .failed: self = .failed
        }
    }
}
