internal import ClientEngine
internal import CoAPTransport
internal import Logging
public import LwM2MModel
internal import Primitives

/// A LwM2M device: it bootstraps, registers, answers servers and reports what they observe.
///
///     let client = try LwM2MClient(
///         configuration: .init(
///             endpoint: "urn:dev:ops:32473-Thermometer-1",
///             server: "coaps://lwm2m.example.com",
///             security: .preSharedKey(identity: "urn:dev:ops:32473-Thermometer-1", key: key)
///         )
///     )
///     try await client.add(.temperature(celsius: 21.5))
///     await client.onExecute("/3/0/4") { _ in reboot() }
///     try await client.run()
///
/// Objects and handlers may be added before or while it runs. The actor's executor is the thread of its event loop.
public actor LwM2MClient {
    private let executor: LoopExecutor
    private let configuration: Configuration
    private let eventSource: AsyncStream<Event>.Continuation
    private var objects: [UInt16: HostedObject] = [:]
    private var writeHandlers: [ObjectPath: ClientCore.WriteHandler] = [:]
    private var executeHandlers: [ObjectPath: ClientCore.ExecuteHandler] = [:]
    private var finished: CheckedContinuation<Result<Void, LwM2MError>, Never>?
    private var isRunning = false
    private var isStopRequested = false

    /// What the client does, for one reader; when it reads too slowly, the oldest events are dropped.
    public nonisolated let events: AsyncStream<Event>

    /// The thread of the event loop.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

    /// Creates a client that does nothing until ``run()``.
    ///
    /// - Throws: ``LwM2MError/Code/invalidConfiguration``, or ``LwM2MError/Code/local`` when the system has no
    ///   descriptor left.
    public init(configuration: Configuration) throws(LwM2MError) {
        _ = try configuration.makeClientConfiguration(objects: [])
        _ = try configuration.makeResolverConfiguration()
        do { self.executor = try LoopExecutor() } catch { throw LwM2MError(error) }
        self.configuration = configuration
        (self.events, self.eventSource) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingNewest(max(1, configuration.eventBuffer))
        )
        let device = DeviceObject.device(configuration.device)
        self.objects[device.definition.id] = device.hosted
    }

    deinit {
        self.eventSource.finish()
        self.executor.stop()
    }

    /// Runs the client until its task is cancelled.
    ///
    /// Failures to reach a server do not end it: it tries again as object 1 says. Cancellation deregisters, which
    /// takes at most ``Configuration/stopTimeout``, and returns without an error.
    ///
    /// - Throws: ``LwM2MError`` when the client cannot start, or when nobody is left to ask for accounts.
    public func run() async throws(LwM2MError) {
        guard !self.isRunning else {
            throw LwM2MError(.alreadyRunning, "The client runs already.", hint: "Create one client per device.")
        }
        self.isRunning = true
        self.isStopRequested = false
        defer {
            self.isRunning = false
            self.executor.core = nil
        }
        try self.startCore()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                self.finished = continuation
                self.executor.core?.start()
                if self.isStopRequested { self.executor.core?.requestStop() }
            }
        } onCancel: {
            Task { await self.requestStop() }
        }
        if case .failure(let error) = result { throw error }
    }

    /// Adds an object, in place of one with its identifier; servers learn of it with the next update.
    ///
    /// - Throws: ``LwM2MError/Code/invalidPath`` for objects 0 and 1 and that of temporary bootstrap URIs, which belong
    ///   to bootstrap.
    public func add(_ object: DeviceObject) throws(LwM2MError) {
        let id = object.definition.id
        guard id > 1, id != self.configuration.ownObjectIDs.bootstrapURIProfile else {
            throw LwM2MError(.invalidPath, "Object \(id) comes from the configuration and from bootstrap.")
        }
        self.objects[object.definition.id] = object.hosted
        self.executor.core?.deliver(.objectAdded(object.hosted))
    }

    /// Sets a resource; servers that observe it are notified as their attributes say.
    ///
    /// - Parameters:
    ///   - value: of the resource's type; a number is converted when that loses nothing.
    ///   - path: a resource, or an instance of a multiple one; `"/3303/0/5700"`.
    /// - Throws: ``LwM2MError/Code/invalidPath`` or ``LwM2MError/Code/invalidValue``.
    public func set(_ value: ResourceValue, at path: ObjectPath) throws(LwM2MError) {
        guard let object = path.object, let hosted = self.objects[object], path.depth >= 3,
            let resource = path.resource.flatMap({ hosted.definition.resource($0) })
        else {
            throw LwM2MError(
                .invalidPath,
                "\(path) is no resource of an object of this client.",
                hint: "Add the object first; a resource's path has three levels, as /3303/0/5700."
            )
        }
        guard let fitting = value.converted(to: resource.type) else {
            throw LwM2MError(.invalidValue, "\(path) takes a value of type \(resource.type).")
        }
        let record = ResourceRecord(path, fitting)
        if let core = self.executor.core {
            core.deliver(.valueSet([record]))
        } else {
            self.change(hosted, record)
        }
    }

    /// The value of a resource as servers would read it now; nil when it has none.
    public func value(at path: ObjectPath) -> ResourceValue? {
        if let core = self.executor.core { return core.value(at: path) }
        guard let object = path.object, let instance = path.instance, let resource = path.resource else { return nil }
        guard let values = self.objects[object]?.instances.first(where: { $0.id == instance })?.values else {
            return nil
        }
        if let resourceInstance = path.resourceInstance { return values[resource, resourceInstance] }
        return values[resource]
    }

    /// The URI at which the client asks for accounts, while it does; a temporary one when the configuration has a profile.
    ///
    /// A temporary name is a secret while its window lasts: keep it out of logs that others read.
    public var bootstrapURI: String? { self.executor.core?.bootstrapURI?.string }

    /// Asks a handler before a server's write to the path, or below it, is done.
    ///
    /// - Parameters:
    ///   - path: an object, instance or resource; a later handler of the same path takes the place of the earlier one.
    ///   - handler: gets what would be written. When it returns, the write is done; ``Refusal`` gives the server that
    ///     code, every other error 5.00.
    public func onWrite(
        _ path: ObjectPath,
        _ handler: @escaping @Sendable (_ values: [ResourceRecord]) async throws -> Void
    ) {
        self.writeHandlers[path] = handler
        self.executor.core?.writeHandlers = self.writeHandlers
    }

    /// Runs a handler when a server executes the resource.
    ///
    /// - Parameters:
    ///   - path: an executable resource; `"/3/0/4"` is Reboot. Without a handler the server gets 4.05.
    ///   - handler: gets the arguments as they came, well-formed. When it returns the server gets 2.04; ``Refusal``
    ///     gives it that code, every other error 5.00.
    public func onExecute(
        _ path: ObjectPath,
        _ handler: @escaping @Sendable (_ arguments: [UInt8]) async throws -> Void
    ) {
        self.executeHandlers[path] = handler
        self.executor.core?.executeHandlers = self.executeHandlers
    }

    /// Ends ``events`` behind the last one; the client reports no more.
    public nonisolated func finishEvents() {
        self.eventSource.finish()
    }

    /// Updates the registrations now instead of when they are due.
    public func updateRegistration() {
        self.executor.core?.deliver(.updateRequested(shortServerID: nil))
    }

    private func startCore() throws(LwM2MError) {
        let logger = self.configuration.logger
        let events = self.eventSource
        let core = try ClientCore(
            configuration: self.configuration,
            objects: self.objects.values.sorted { $0.definition.id < $1.definition.id },
            loop: self.executor.loopOnThread,
            callbacks: ClientCore.Callbacks(
                report: { event in
                    logger?.log(event)
                    events.yield(event)
                },
                finished: { result in Task { self.finish(result) } },
                post: { event in Task { await self.deliver(event) } }
            )
        )
        core.writeHandlers = self.writeHandlers
        core.executeHandlers = self.executeHandlers
        self.executor.core = core
    }

    private func requestStop() {
        self.isStopRequested = true
        self.executor.core?.requestStop()
    }

    private func deliver(_ event: ClientEvent) {
        self.executor.core?.deliver(event)
    }

    private func finish(_ result: Result<Void, LwM2MError>) {
        self.finished?.resume(returning: result)
        self.finished = nil
    }

    private func change(_ hosted: HostedObject, _ record: ResourceRecord) {
        guard let resource = record.path.resource, let id = record.path.instance else { return }
        var instances = hosted.instances
        if !instances.contains(where: { $0.id == id }) { instances.append(HostedInstance(id, ResourceValues())) }
        for index in instances.indices where instances[index].id == id {
            if let resourceInstance = record.path.resourceInstance {
                instances[index].values[resource, resourceInstance] = record.value
            } else {
                instances[index].values[resource] = record.value
            }
        }
        self.objects[hosted.definition.id] = HostedObject(
            hosted.definition,
            instances: instances,
            executables: hosted.executables,
            asksBeforeWrite: true
        )
    }
}
