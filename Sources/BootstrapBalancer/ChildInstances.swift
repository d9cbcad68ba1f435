import CoAPTransport
import Foundation
import Primitives
import ServiceSupport
import Subprocess
import Synchronization
import SystemPackage

/// Bootstrap server instances that the balancer starts as processes of its own: at most one at each place.
///
/// A process that ends soon after its start is not started again at once: the pause doubles from one second to a
/// minute. Processes outlive a balancer that is killed, and report to the next one.
final class ChildInstances {
    /// How a process ended.
    struct End: Equatable, Sendable {
        let name: UTF8Text
        /// A few words, such as `exit status 2`.
        let cause: String
    }

    private struct Child {
        let place: BootstrapBalancer.OnDemand.Place
        var task: Task<Void, Never>?
        var begun = MonotonicTime.zero
        var quickEnds = 0
        var mayStart = MonotonicTime.zero
    }

    /// Where the tasks report; the loop's thread takes it from there.
    private final class Reports: @unchecked Sendable {
        // Unchecked: of the loop only `wake()` is used, which any thread may call.
        private let loop: EventLoop
        private let ends = Mutex<[End]>([])

        init(loop: EventLoop) {
            self.loop = loop
        }

        func add(_ end: End) {
            self.ends.withLock { $0.append(end) }
            self.loop.wake()
        }

        func takeAll() -> [End] {
            self.ends.withLock { ends in
                defer { ends = [] }
                return ends
            }
        }
    }

    /// A process that lives so long did not fail at its start.
    private static let soon: Duration = .seconds(30)

    private let command: CommandTemplate
    private let log: FileDescriptor?
    private let reports: Reports
    private var children: [Child]

    init(_ onDemand: BootstrapBalancer.OnDemand, loop: EventLoop) throws(ServiceError) {
        guard !onDemand.places.isEmpty, Set(onDemand.places.map(\.name)).count == onDemand.places.count else {
            throw ServiceError(
                "instances on demand need places with different names",
                hint: "--on-demand-instance NAME=ADDRESS"
            )
        }
        self.command = onDemand.command
        self.reports = Reports(loop: loop)
        self.children = onDemand.places.map { Child(place: $0) }
        self.log = try onDemand.logPath.map { path throws(ServiceError) in
            do {
                return try FileDescriptor.open(
                    FilePath(path),
                    .writeOnly,
                    options: [.append, .create, .closeOnExec],
                    permissions: [.ownerReadWrite]
                )
            } catch {
                throw ServiceError("the log '\(path)' cannot be written", hint: "its folder must exist and be writable")
            }
        }
    }

    deinit {
        for child in self.children { child.task?.cancel() }
        try? self.log?.close()
    }

    /// How many processes were started.
    private(set) var startedCount: UInt64 = 0

    /// How many processes run.
    var runningCount: Int { self.children.count { $0.task != nil } }

    /// Starts a process at a place that is free.
    ///
    /// - Parameter isUp: whether an instance of this name reports all the same, of an earlier balancer perhaps.
    /// - Returns: the instance's name; nil when no place is free, or all of those failed lately.
    func start(now: MonotonicTime, isUp: (UTF8Text) -> Bool) -> UTF8Text? {
        guard
            let index = self.children.firstIndex(where: { child in
                child.task == nil && child.mayStart <= now && !isUp(child.place.name)
            })
        else { return nil }
        let place = self.children[index].place
        let words = self.command.words(name: place.name, address: place.address)
        self.startedCount += 1
        self.children[index].begun = now
        self.children[index].task = Self.begin(words, name: place.name, log: self.log, reports: self.reports)
        return place.name
    }

    /// Tells a process to end; five seconds later it is killed.
    func stop(_ name: UTF8Text) {
        self.children.first { $0.place.name == name }?.task?.cancel()
    }

    /// The processes that ended since the last call.
    func takeEnds(now: MonotonicTime) -> [End] {
        let ends = self.reports.takeAll()
        for end in ends {
            guard let index = self.children.firstIndex(where: { $0.place.name == end.name }) else { continue }
            self.children[index].task = nil
            let isQuick = self.children[index].begun.duration(to: now) < Self.soon
            self.children[index].quickEnds = isQuick ? min(self.children[index].quickEnds + 1, 7) : 0
            let pause = isQuick ? min(60, 1 << (self.children[index].quickEnds - 1)) : 0
            self.children[index].mayStart = now.advanced(by: .seconds(pause))
        }
        return ends
    }

    /// Ends all processes and waits for them, at most so long.
    func end(within limit: Duration, loop: EventLoop) {
        for child in self.children { child.task?.cancel() }
        let end = loop.now.advanced(by: limit)
        while self.runningCount > 0, loop.now < end {
            _ = self.takeEnds(now: loop.now)
            if self.runningCount > 0 { loop.turn(until: end) }
        }
    }

    private static func begin(
        _ words: [String],
        name: UTF8Text,
        log: FileDescriptor?,
        reports: Reports
    ) -> Task<Void, Never> {
        Task.detached {
            let cause = await Self.run(words, log: log)
            reports.add(End(name: name, cause: cause))
        }
    }

    private static func run(_ words: [String], log: FileDescriptor?) async -> String {
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
        let executable: Executable = words[0].contains("/") ? .path(FilePath(words[0])) : .name(words[0])
        let arguments = Arguments(Array(words.dropFirst()))
        do {
            let status: TerminationStatus
            if let log {
                status = try await Subprocess.run(
                    executable,
                    arguments: arguments,
                    platformOptions: options,
                    output: .fileDescriptor(log, closeAfterSpawningProcess: false),
                    error: .combinedWithOutput
                ).terminationStatus
            } else {
                status = try await Subprocess.run(
                    executable,
                    arguments: arguments,
                    platformOptions: options,
                    output: .discarded,
                    error: .discarded
                ).terminationStatus
            }
            switch status {
            case .exited(let code): return "exit status \(code)"
            case .signaled(let signal): return "signal \(signal)"
            }
        } catch {
            return "it could not be started"
        }
    }
}
