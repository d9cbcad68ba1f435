internal import CAres
public import Primitives

/// Looks up the addresses of host names without ever blocking.
///
/// One thread owns it: the driver's. The resolver has no loop and no clock: it tells its driver which descriptors to
/// watch, and the driver reports readiness through ``process(descriptor:readable:writable:now:)`` and reached
/// deadlines through ``processTimeouts(now:)``. Lookups of one name that run at the same time share one question.
public final class NameResolver {
    /// Receives the result of one lookup.
    public typealias Completion = (Result<ResolvedName, NameResolutionError>) -> Void

    private let configuration: Configuration
    private let observer: DescriptorObserver
    private let channel: ares_channel
    /// Every name that is asked for, whether its question was sent or still waits.
    private var lookups: [UTF8Text: Lookup] = [:]
    private var queue: [Lookup] = []
    private var queueHead = 0
    private var cache: [UTF8Text: ResolvedName] = [:]
    private var now = MonotonicTime.zero
    private var isStarting = false

    /// How many questions are at the servers.
    public private(set) var questionsInFlight = 0

    /// How many lookups wait for a result.
    public private(set) var lookupsWaiting = 0

    /// Creates a resolver.
    ///
    /// - Parameters:
    ///   - configuration: servers, times and bounds.
    ///   - onDescriptorChange: told what to watch a descriptor for; both false means that it is about to close.
    /// - Throws: ``NameResolutionError/invalidServer(at:)``, or ``NameResolutionError/local`` when the library cannot
    ///   be set up.
    public init(
        configuration: Configuration = Configuration(),
        onDescriptorChange: @escaping (_ descriptor: Int32, _ readable: Bool, _ writable: Bool) -> Void
    ) throws(NameResolutionError) {
        let observer = DescriptorObserver(onDescriptorChange)
        self.configuration = configuration
        self.observer = observer
        self.channel = try ChannelSetup.makeChannel(configuration, observer: observer)
    }

    deinit {
        // Destroying the channel ends every question; nobody is left to hear the results.
        for lookup in self.lookups.values { lookup.isAbandoned = true }
        ares_destroy(self.channel)
    }

    /// How many names have a kept answer, expired ones included until they are asked for again.
    public var cachedNames: Int { self.cache.count }

    /// Looks up a host.
    ///
    /// - Parameters:
    ///   - host: a name, or an IPv4 or IPv6 address.
    ///   - now: the driver's time.
    ///   - completion: called once: before this returns for an address, a kept answer or an immediate failure, and
    ///     otherwise from inside one of the `process` functions; never after the resolver is gone.
    public func resolve(_ host: UTF8Text, now: MonotonicTime, _ completion: @escaping Completion) {
        self.now = now
        if let address = IPAddress(parsing: host) {
            completion(.success(ResolvedName(addresses: [address], expires: MonotonicTime(nanoseconds: .max))))
            return
        }
        guard let name = HostName.canonical(host) else {
            completion(.failure(.invalidName))
            return
        }
        if let kept = self.cache[name] {
            if kept.expires > now {
                completion(.success(kept))
                return
            }
            self.cache[name] = nil
        }
        guard self.lookupsWaiting < self.configuration.maximumWaiting else {
            completion(.failure(.queueFull))
            return
        }
        self.lookupsWaiting += 1
        if let running = self.lookups[name] {
            running.completions.append(completion)
            return
        }
        let lookup = Lookup(name, asker: Unmanaged.passUnretained(self).toOpaque(), completion)
        self.lookups[name] = lookup
        self.queue.append(lookup)
        self.askQueued()
    }

    /// Drops what is kept of a host, so that the next ``resolve(_:now:_:)`` asks the servers again.
    ///
    /// A question that is under way goes on, and whoever asks meanwhile gets its answer.
    public func forget(_ host: UTF8Text) {
        guard let name = HostName.canonical(host) else { return }
        self.cache[name] = nil
    }

    /// Reports that a watched descriptor is ready.
    public func process(descriptor: Int32, readable: Bool, writable: Bool, now: MonotonicTime) {
        self.now = now
        ares_process_fd(self.channel, readable ? descriptor : -1, writable ? descriptor : -1)
        self.askQueued()
    }

    /// Reports that ``nextDeadline(now:)`` may have passed; earlier calls have no effect.
    public func processTimeouts(now: MonotonicTime) {
        self.now = now
        ares_process_fd(self.channel, -1, -1)
        self.askQueued()
    }

    /// When ``processTimeouts(now:)`` must next be called; nil while no question is at a server.
    ///
    /// - Parameter now: the time that the library's remaining wait is counted from.
    public func nextDeadline(now: MonotonicTime) -> MonotonicTime? {
        guard self.questionsInFlight > 0 else { return nil }
        var wait = timeval()
        guard ares_timeout(self.channel, nil, &wait) != nil else { return nil }
        // One millisecond on top: a wait that ends early by rounding would be asked for again and again.
        return now.advanced(by: .seconds(Int64(wait.tv_sec)) + .microseconds(Int64(wait.tv_usec) + 1000))
    }

    private func askQueued() {
        // A question may complete at once, and its completion may resolve the next name: the outermost loop asks all.
        guard !self.isStarting else { return }
        self.isStarting = true
        defer { self.isStarting = false }
        while self.questionsInFlight < self.configuration.maximumInFlight, self.queueHead < self.queue.count {
            let lookup = self.queue[self.queueHead]
            self.queueHead += 1
            if self.queueHead >= 256, self.queueHead * 2 >= self.queue.count {
                self.queue.removeFirst(self.queueHead)
                self.queueHead = 0
            }
            self.questionsInFlight += 1
            self.ask(lookup)
        }
    }

    private func ask(_ lookup: Lookup) {
        var hints = ares_addrinfo_hints()
        hints.ai_family = lookup.asksAgain ? AF_INET : AF_UNSPEC
        hints.ai_flags = ARES_AI_NOSORT
        let context = Unmanaged.passRetained(lookup).toOpaque()
        (lookup.name.bytes + [0]).withUnsafeBytes { name in
            let text = name.bindMemory(to: CChar.self).baseAddress
            ares_getaddrinfo(self.channel, text, nil, &hints, { NameResolver.answered($0, $1, $3) }, context)
        }
    }

    private static func answered(
        _ context: UnsafeMutableRawPointer?,
        _ status: Int32,
        _ answer: UnsafeMutablePointer<ares_addrinfo>?
    ) {
        guard let context else { return }
        let lookup = Unmanaged<Lookup>.fromOpaque(context).takeRetainedValue()
        let addresses = AddressList(copying: answer)
        if let answer { ares_freeaddrinfo(answer) }
        guard !lookup.isAbandoned else { return }
        let asker = Unmanaged<NameResolver>.fromOpaque(lookup.asker).takeUnretainedValue()
        if status == ARES_ENODATA, !lookup.asksAgain {
            // Of two families the library tells how the later one fared: no IPv6 address says nothing of IPv4.
            lookup.asksAgain = true
            return asker.ask(lookup)
        }
        asker.finish(lookup, status, addresses)
    }

    private func finish(_ lookup: Lookup, _ status: Int32, _ answer: AddressList) {
        self.questionsInFlight -= 1
        self.lookupsWaiting -= lookup.completions.count
        self.lookups[lookup.name] = nil
        let result: Result<ResolvedName, NameResolutionError>
        if status == ARES_SUCCESS, !answer.addresses.isEmpty {
            let lifetime = min(.seconds(Int64(answer.lifetime)), self.configuration.longestLifetime)
            let resolved = ResolvedName(addresses: answer.addresses, expires: self.now.advanced(by: lifetime))
            if answer.lifetime > 0 { self.keep(resolved, for: lookup.name) }
            result = .success(resolved)
        } else {
            result = .failure(NameResolutionError(status: status))
        }
        let completions = lookup.completions
        lookup.completions = []
        for completion in completions { completion(result) }
    }

    private func keep(_ resolved: ResolvedName, for name: UTF8Text) {
        if self.cache.count >= self.configuration.maximumCached {
            var first: (name: UTF8Text, expires: MonotonicTime)?
            for (other, entry) in self.cache {
                if let earliest = first, earliest.expires <= entry.expires { continue }
                first = (other, entry.expires)
            }
            if let first { self.cache[first.name] = nil }
        }
        guard self.cache.count < self.configuration.maximumCached else { return }
        self.cache[name] = resolved
    }
}

/// One name that is asked for, and everybody who waits for it.
private final class Lookup {
    let name: UTF8Text
    /// The resolver, unretained: it outlives the lookup unless the lookup is abandoned.
    let asker: UnsafeMutableRawPointer
    var completions: [NameResolver.Completion]
    var isAbandoned = false
    /// Whether IPv4 is asked for alone, to tell a failure from an absence.
    var asksAgain = false

    init(_ name: UTF8Text, asker: UnsafeMutableRawPointer, _ completion: @escaping NameResolver.Completion) {
        self.name = name
        self.asker = asker
        self.completions = [completion]
    }
}
