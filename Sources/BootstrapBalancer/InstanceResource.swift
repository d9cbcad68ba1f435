import BalancerEngine
import CoAPMessages
import Primitives
import ServiceSupport

/// What an instance may ask of the balancer: `/instances`, `/notifications` and `/pins`.
enum InstanceRequest: Equatable {
    case report(BootstrapInstance, inProgress: Int, isFirst: Bool)
    case leave
    case notify([BootstrapNotification])
    case pin(endpoint: UTF8Text, host: UTF8Text)
}

/// Reads what instances ask, and refuses what makes no sense or is not theirs to ask.
struct InstanceResource {
    /// Requests that were refused, by why.
    struct Counters: Equatable {
        /// A body or query that is none, or outside its bounds.
        var malformed: UInt64 = 0
        /// In the name of another instance.
        var foreign: UInt64 = 0
        /// For a resource or method that there is not.
        var unknown: UInt64 = 0
    }

    private(set) var counters = Counters()

    /// Reads a request.
    ///
    /// - Parameter instance: the name that the session's identity stands for.
    /// - Throws: the answer to a request that is refused.
    mutating func read(_ request: CoAPRequest, from instance: UTF8Text) throws(Refusal) -> InstanceRequest {
        do throws(Refusal) {
            switch (request.path?.first, request.method) {
            case _ where request.path?.count != 1: throw Refusal(.notFound)
            case ("instances", .post): return try self.report(request, instance)
            case ("instances", .delete):
                guard try self.query(request, "name") == instance else { throw Refusal(.forbidden) }
                return .leave
            case ("notifications", .post): return try self.notifications(request, instance)
            case ("pins", .get):
                return .pin(endpoint: try self.query(request, "ep"), host: try self.query(request, "host").lowercased)
            case ("instances", _), ("notifications", _), ("pins", _): throw Refusal(.methodNotAllowed)
            default: throw Refusal(.notFound)
            }
        } catch {
            switch error.code {
            case .forbidden: self.counters.foreign += 1
            case .notFound, .methodNotAllowed: self.counters.unknown += 1
            default: self.counters.malformed += 1
            }
            throw error
        }
    }

    /// Why a request is refused.
    struct Refusal: Error {
        let code: CoAPCode

        init(_ code: CoAPCode) {
            self.code = code
        }
    }

    private func report(_ request: CoAPRequest, _ instance: UTF8Text) throws(Refusal) -> InstanceRequest {
        try self.checkFormat(request)
        let report: InstanceReport
        do { report = try InstanceReport(decoding: request.payload) } catch { throw Self.refusal(error) }
        guard report.name == instance else { throw Refusal(.forbidden) }
        return .report(
            BootstrapInstance(
                name: report.name,
                addresses: report.addresses,
                weight: report.weight,
                region: report.region,
                classes: report.classes
            ),
            inProgress: report.inProgress,
            isFirst: report.isFirst
        )
    }

    private func notifications(_ request: CoAPRequest, _ instance: UTF8Text) throws(Refusal) -> InstanceRequest {
        try self.checkFormat(request)
        let notices: [BootstrapNotice]
        do { notices = try BootstrapNotice.decode(request.payload) } catch { throw Self.refusal(error) }
        return .notify(
            notices.map { notice in
                BootstrapNotification(
                    instance: instance,
                    endpoint: notice.endpoint,
                    host: notice.host.lowercased,
                    event: Self.event(notice.event),
                    procedure: notice.procedure,
                    sequence: notice.sequence
                )
            }
        )
    }

    private func checkFormat(_ request: CoAPRequest) throws(Refusal) {
        guard request.options.contentFormat == .json else { throw Refusal(.unsupportedContentFormat) }
    }

    private func query(_ request: CoAPRequest, _ name: String) throws(Refusal) -> UTF8Text {
        let prefix = Array((name + "=").utf8)
        for option in request.options.all where option.number == .uriQuery && option.value.starts(with: prefix) {
            guard let text = UTF8Text(validating: Array(option.value.dropFirst(prefix.count))), !text.isEmpty else {
                break
            }
            return text
        }
        throw Refusal(.badRequest)
    }

    private static func event(_ event: BootstrapNotice.Event) -> BootstrapNotification.Event {
        switch event {
        case .started: .started
        case .completed: .completed
        case .failed: .failed
        }
    }

    private static func refusal(_ error: BalancerMessages.DecodingError) -> Refusal {
        Refusal(error == .tooLarge ? .requestEntityTooLarge : .badRequest)
    }
}

extension UTF8Text {
    /// The text with its ASCII letters in lower case, as host names are compared.
    var lowercased: UTF8Text {
        guard self.bytes.contains(where: { (0x41...0x5A).contains($0) }) else { return self }
        return UTF8Text(validating: self.bytes.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }) ?? self
    }
}
