import BalancerEngine
import BootstrapURIs
import CoAPTransport
import Foundation
import NameRegistry
import Primitives
import ServiceSupport

extension BootstrapBalancer {
    /// What the balancer does now, in numbers; what `starling ctl balancer status` shows.
    public var status: BalancerReportedStatus {
        let status = self.engine.status
        let now = WallTime(secondsSinceEpoch: Int64(Date().timeIntervalSince1970.rounded(.down)))
        return BalancerReportedStatus(
            instances: self.reportedInstances(status),
            devices: .init(
                known: self.directory.count,
                waiting: status.waiting,
                inProgress: status.started,
                restarted: status.restarted,
                completed: status.completed
            ),
            names: .init(published: status.published, pending: status.pending, isDeriving: status.isDeriving),
            window: self.derivation.window(now).stamp,
            windows: status.windows.map(\.stamp),
            registry: self.reportedRegistry(status),
            dns: self.opened.responder.map { Self.questions($0.counters) },
            secrets: self.reportedSecrets,
            counters: self.reportedCounters
        )
    }

    private func reportedInstances(_ status: BalancerStatus) -> [BalancerReportedStatus.Instance] {
        let now = Dictionary(status.instances.map { ($0.name, $0) }) { first, _ in first }
        return self.records.all.values.sorted { $0.instance.name.string < $1.instance.name.string }.map { record in
            let name = record.instance.name
            return BalancerReportedStatus.Instance(
                name: name.string,
                addresses: record.instance.addresses.map(\.written),
                isUp: now[name] != nil,
                names: now[name]?.names ?? 0,
                inProgress: now[name]?.inProgress ?? 0,
                started: record.started,
                completed: record.completed,
                failed: record.failed
            )
        }
    }

    private func reportedRegistry(_ status: BalancerStatus) -> BalancerReportedStatus.Registry {
        var code: UInt8?
        let state: String
        switch status.writing {
        case .idle: state = status.pending == 0 && !status.isDeriving ? "current" : "behind"
        case .busy: state = "behind"
        case .reading: state = "reading"
        case .unreachable: state = "unreachable"
        case .refused(let given): (state, code) = ("refused", given)
        case .superseded: state = "foreign"
        }
        return BalancerReportedStatus.Registry(
            state: state,
            code: code,
            writer: status.epoch?.writer.string,
            epoch: status.epoch?.number,
            updates: self.engine.counters.batches,
            failures: self.engine.counters.registryFailures
        )
    }

    private static func questions(_ counters: EmbeddedResponder.Counters) -> BalancerReportedStatus.Questions {
        BalancerReportedStatus.Questions(
            answers: counters.answered + counters.noData,
            nxdomain: counters.nonexistent,
            refused: counters.refused + counters.notImplemented + counters.limited,
            malformed: counters.malformed
        )
    }

    private var reportedSecrets: BalancerReportedStatus.Secrets {
        let source =
            switch self.configuration.secrets {
            case .file: "file"
            case .derived: "derived"
            case .server: "server"
            }
        return BalancerReportedStatus.Secrets(
            source: source,
            readings: self.reader?.readings ?? 0,
            failures: self.reader?.failures ?? 0
        )
    }

    private var reportedCounters: [String: UInt64] {
        let engine = self.engine.counters
        let asked = self.instances.counters
        let transports = [self.instances.transport.counters] + (self.held.map { [$0.transport.counters] } ?? [])
        func sum(_ counter: KeyPath<TransportCounters, UInt64>) -> UInt64 {
            transports.reduce(0) { $0 + $1[keyPath: counter] }
        }
        return [
            "started": engine.started,
            "completed": engine.completed,
            "failed": engine.failed,
            "givenUp": engine.givenUp,
            "restarted": engine.restarted,
            "repeatedNotifications": engine.repeatedNotifications,
            "unknownDevices": engine.unknownDevices,
            "held": engine.held,
            "refusedHolds": engine.refusedHolds,
            "derived": engine.derived,
            "moved": engine.moved,
            "batches": engine.batches,
            "registryFailures": engine.registryFailures,
            "refusedByBounds": engine.refusedByBounds,
            "malformedRequests": asked.malformed + (self.held?.counters.malformed ?? 0),
            "foreignRequests": asked.foreign,
            "unknownResources": asked.unknown,
            "identityMismatches": self.held?.counters.identityMismatches ?? 0,
            "unknownIdentities": sum(\.unknownIdentities),
            "wrongKeys": sum(\.wrongKeys),
            "failedHandshakes": sum(\.failedHandshakes),
            "malformedDatagrams": sum(\.malformedDatagrams),
            "refusedSessions": sum(\.refusedSessions),
            "refusedBodies": sum(\.refusedBodies),
            "storageFailures": self.storageFailures,
            "startedInstances": self.children?.startedCount ?? 0,
        ]
    }
}
