internal import CoAPMessages
internal import LwM2MCodecs
internal import LwM2MModel
internal import Primitives

/// The bootstrap of one device, one confirmed step after the other.
///
///     planned ──▶ discover ──▶ delete … ──▶ write /0/x, /1/x … ──▶ finish ──▶ done
///                     │            │                │                │
///                     └────────────┴── refused or silent: failed ────┘
///
/// Discover may be refused: not every device has it, and then instance 0 of Security is taken for the bootstrap
/// account.
/// - Source: LwM2M Core 1.2.2, clauses 6.1.7.2 to 6.1.7.6.
struct BootstrapProcedure: Sendable {
    /// What the owner must do next.
    enum Action: Sendable {
        case send(BootstrapStep, CoAPRequest)
        case finished
        case fail(BootstrapServerFailure)
    }

    private let plan: BootstrapPlan
    private let format: ContentFormat
    private var steps: [BootstrapStep] = []
    private var nextStep = 0
    /// Instances of Security that stay: those of bootstrap servers.
    private var occupied: Set<UInt16> = [0]
    private var writes: [ObjectPath: [ResourceRecord]] = [:]

    init(plan: BootstrapPlan, format: ContentFormat) {
        self.plan = plan
        self.format = format
        if plan.discoversFirst { self.steps.append(.discover) }
        self.steps += plan.deletes.map { .delete($0) }
    }

    /// Sends the first step.
    mutating func begin() -> Action {
        if !self.plan.discoversFirst { self.planWrites() }
        return self.sendStep()
    }

    /// Takes the answer to the step that is under way.
    mutating func take(_ response: CoAPResponse) -> Action {
        guard self.nextStep < self.steps.count else { return .finished }
        let step = self.steps[self.nextStep]
        switch step {
        case .discover:
            self.takeDiscovery(response)
            self.planWrites()
        case .delete, .write:
            guard response.code.isSuccess else { return .fail(.refused(step, response.code)) }
        case .finish:
            return response.code.isSuccess ? .finished : .fail(.refused(step, response.code))
        }
        self.nextStep += 1
        return self.sendStep()
    }

    /// The step that is under way.
    var step: BootstrapStep { self.nextStep < self.steps.count ? self.steps[self.nextStep] : .finish }

    private mutating func takeDiscovery(_ response: CoAPResponse) {
        guard response.code.isSuccess, let lines = try? DiscoverAnswer.decode(response.payload) else { return }
        // Only the account of a bootstrap server has no short identifier, or the reserved 0 or 65535.
        let accounts = lines.filter { $0.path.depth == 2 && $0.path.object == 0 }
        let staying = accounts.filter { line in
            line.shortServerID.map { $0 == 0 || $0 == 65_535 } ?? true
        }
        self.occupied = Set(staying.compactMap(\.path.instance))
    }

    private mutating func planWrites() {
        var instance: UInt16 = 0
        for (index, server) in self.plan.servers.enumerated() {
            while self.occupied.contains(instance) { instance += 1 }
            let security = ObjectPath(0, instance)
            let account = ObjectPath(1, UInt16(clamping: index))
            self.writes[security] = server.securityRecords(instance: instance)
            self.writes[account] = server.serverRecords(instance: UInt16(clamping: index))
            self.steps += [.write(security), .write(account)]
            instance += 1
        }
        self.steps.append(.finish)
    }

    private func sendStep() -> Action {
        let step = self.step
        switch step {
        case .discover:
            return .send(step, CoAPRequest(.get, path: [], accept: .linkFormat))
        case .delete(let path):
            return .send(step, CoAPRequest(.delete, path: path.segments))
        case .write(let path):
            guard let payload = try? Payload.encode(self.writes[path] ?? [], as: self.format, at: path) else {
                return .fail(.encoding(step))
            }
            return .send(
                step,
                CoAPRequest(.put, path: path.segments, contentFormat: self.format, payload: payload)
            )
        case .finish:
            return .send(step, CoAPRequest(.post, path: ["bs"]))
        }
    }
}
