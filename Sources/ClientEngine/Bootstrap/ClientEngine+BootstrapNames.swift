import BootstrapURIs
import CoAPMessages
import LwM2MModel
public import Primitives

/// Where bootstrap connects: what the machine of names decides becomes a derived URI and a session there.
extension ClientEngine {
    /// The URI at which the device bootstraps, or the one that it keeps ready; nil when there is none.
    ///
    /// It may hold a temporary name, which is a secret while its window lasts: for diagnostics that somebody asked for.
    public var bootstrapURI: UTF8Text? {
        let search = self.bootstrap.search
        return (search?.target?.uri ?? search?.prepared?.uri).map { UTF8Text($0.text) }
    }

    /// Derives the URI of the present window ahead of need, where the profile wants that in every period.
    ///
    /// - Parameter isChanged: whether account or profile may be others than before.
    mutating func prepareBootstrapURI(isChanged: Bool, now: MonotonicTime) {
        let prepared = self.preparedURI(now: now, unless: isChanged ? nil : self.bootstrap.search?.prepared)
        guard prepared != nil || self.bootstrap.search?.prepared != nil else { return }
        var search = self.bootstrap.search ?? BootstrapSearch()
        search.prepared = prepared
        self.bootstrap.search = prepared == nil && search.target == nil ? nil : search
    }

    /// Forgets the attempt, but not what is kept ready.
    mutating func endSearch() {
        let prepared = self.bootstrap.search?.prepared
        self.bootstrap.search = prepared.map { BootstrapSearch(prepared: $0) }
    }

    /// Begins to look for the bootstrap server of the account.
    mutating func seekBootstrapServer(_ account: SecurityAccount, now: MonotonicTime) {
        self.bootstrap.search = BootstrapSearch(prepared: self.bootstrap.search?.prepared)
        let uris: TemporaryURIs?
        do { uris = try self.tree.temporaryURIs(of: account) } catch {
            return self.search(now: now) { $0.failed(.derivation) }
        }
        guard let profile = uris?.profile else { return self.search(now: now) { $0.beginAtStaticURI() } }
        let windows = self.windows(of: profile, now: now)
        self.search(now: now) { $0.begin(windows, fallsBack: profile.fallsBackToStaticURI) }
    }

    /// Tells the machine of names something, and carries out what it decides; nothing outside an attempt.
    mutating func search(now: MonotonicTime, _ event: (inout BootstrapNameMachine) -> BootstrapNameMachine.Action) {
        guard var search = self.bootstrap.search else { return }
        let action = event(&search.names)
        self.bootstrap.search = search
        self.perform(action, now: now)
    }

    private mutating func perform(_ action: BootstrapNameMachine.Action, now: MonotonicTime) {
        switch action {
        case .none:
            break
        case .open(let window):
            self.leaveBootstrapSession()
            self.openBootstrapSession(window, now: now)
        case .reopen:
            self.forgetBootstrapName()
            self.openBootstrapTarget()
        case .hold(let seconds):
            self.leaveBootstrapSession()
            self.report(.bootstrapHeld(seconds: seconds))
        case .fail(let failure):
            let jitter = self.jitter()
            self.perform(self.bootstrap.machine.failed(failure, jitter: jitter, now: now), now: now)
        }
    }

    /// Takes a failure of the session or the request: while no server has taken the request, another name may do.
    mutating func bootstrapLost(_ failure: BootstrapFailure, now: MonotonicTime) {
        guard self.bootstrap.machine.isSeeking else {
            let jitter = self.jitter()
            return self.perform(self.bootstrap.machine.failed(failure, jitter: jitter, now: now), now: now)
        }
        switch failure {
        case .session(.nameNotFound), .session(.nameResolutionFailed): break
        // A name that led to nobody may have moved: its next attempt does not wait for the time to live to pass.
        default: if self.bootstrap.search?.target?.isTemporary ?? false { self.forgetBootstrapName() }
        }
        self.search(now: now) { $0.failed(failure) }
    }

    /// The definition of the object that holds profiles, known from now on.
    mutating func profileDefinition() -> ObjectDefinition {
        self.registry = self.registry.includingProfiles(self.tree.ids)
        return self.registry.object(self.tree.ids.bootstrapURIProfile)
            ?? BootstrapURIProfile.objectDefinition(ids: self.tree.ids)
    }

    /// The civil time; nil while nobody has told it, or when it is nothing that a clock shows.
    func civilTime(now: MonotonicTime) -> WallTime? {
        guard let start = self.clockStart else { return nil }
        let seconds = start &+ now.nanoseconds / 1_000_000_000
        return Self.plausibleTimes.contains(seconds) ? WallTime(secondsSinceEpoch: seconds) : nil
    }

    /// From 1970 to 9999.
    private static let plausibleTimes: ClosedRange<Int64> = 0...253_402_300_799

    private func windows(of profile: BootstrapURIProfile, now: MonotonicTime) -> [TimeWindow] {
        if let time = self.civilTime(now: now) { return profile.windows(around: time) }
        return profile.usesTime ? [] : profile.windows(around: WallTime(secondsSinceEpoch: 0))
    }

    private mutating func openBootstrapSession(_ window: TimeWindow?, now: MonotonicTime) {
        guard let account = self.tree.bootstrapAccount, let address = account.address else {
            return self.search(now: now) { $0.failed(.unusableAccount) }
        }
        var uri: CoAPURI? = address.uri
        if let window {
            let prepared = self.bootstrap.search?.prepared
            uri = prepared?.window == window ? prepared?.uri : self.derive(account, window)
        }
        guard let uri else {
            return self.search(now: now) { $0.failed(.derivation) }
        }
        if self.tree.hasProfile(account) { self.report(.bootstrapNameTried(window)) }
        self.bootstrap.search?.target = BootstrapTarget(
            uri: uri,
            credentials: address.credentials,
            isTemporary: window != nil
        )
        self.openBootstrapTarget()
    }

    private func preparedURI(now: MonotonicTime, unless prepared: PreparedURI?) -> PreparedURI? {
        guard self.phase == .running, !self.tree.profiles.isEmpty, let account = self.tree.bootstrapAccount,
            let profile = (try? self.tree.temporaryURIs(of: account))?.profile, profile.regeneratesEveryPeriod,
            profile.usesTime, let time = self.civilTime(now: now)
        else { return nil }
        let window = profile.window(at: time)
        let remaining = max(1, profile.end(of: window).secondsSinceEpoch - time.secondsSinceEpoch)
        let kept = prepared?.window == window ? prepared?.uri : nil
        guard let uri = kept ?? self.derive(account, window) else { return nil }
        return PreparedURI(window: window, uri: uri, until: now.advanced(by: .seconds(remaining)))
    }

    /// The temporary URI of a window; nil when it cannot be derived.
    private func derive(_ account: SecurityAccount, _ window: TimeWindow) -> CoAPURI? {
        guard let hashes = self.hashes, let uris = try? self.tree.temporaryURIs(of: account),
            self.endpoint != nil || !uris.profile.parameters.contains(.endpoint)
        else { return nil }
        return try? uris.uri(secret: account.key, endpoint: self.endpoint ?? "", window: window, hashes: hashes)
    }

    private mutating func openBootstrapTarget() {
        guard let target = self.bootstrap.search?.target else { return }
        let session = self.makeSessionID()
        self.bootstrap.session = session
        self.put(.openSession(session, target.uri, target.credentials))
    }

    private mutating func forgetBootstrapName() {
        guard let uri = self.bootstrap.search?.target?.uri, !uri.hostIsAddress else { return }
        self.put(.forgetName(uri.host))
    }

    /// Closes the session of the attempt, which goes on elsewhere or later.
    private mutating func leaveBootstrapSession() {
        if let session = self.bootstrap.session { self.put(.closeSession(session)) }
        self.bootstrap.session = nil
        self.bootstrap.request = nil
        _ = self.bootstrap.machine.redirected()
    }
}
