import BootstrapEngine
import Glibc
import Primitives
import ServiceSupport

/// Names bootstraps and numbers notices so that neither comes again after a restart.
struct NoticeNumbers {
    private let run: String
    private var sequence: UInt64

    init() {
        var generator = SystemRandomNumberGenerator()
        self.run = Hexadecimal.encode((0..<8).map { _ in UInt8.random(in: 0...255, using: &generator) })
        // Microseconds of the civil clock grow faster than notices are made, so that a later run begins higher.
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        self.sequence = UInt64(clamping: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    mutating func notice(
        _ procedure: ProcedureID,
        _ progress: BootstrapProgress,
        endpoint: UTF8Text,
        host: UTF8Text
    ) -> BootstrapNotice {
        self.sequence += 1
        let event: BootstrapNotice.Event =
            switch progress {
            case .started: .started
            case .completed: .completed
            case .failed: .failed
            }
        return BootstrapNotice(
            endpoint: endpoint,
            host: host,
            event: event,
            procedure: UTF8Text("\(self.run)-\(procedure.rawValue)"),
            sequence: self.sequence
        )
    }
}
