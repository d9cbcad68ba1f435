import CoAPMessages
import LwM2MModel
import Primitives

/// The registrations: what their machines decide becomes sessions and requests.
extension ClientEngine {
    /// Begins to register with every server that has both accounts.
    mutating func startRegistrations(now: MonotonicTime) {
        let hasBootstrapAccount = self.tree.bootstrapAccount != nil
        for security in self.tree.security where !security.isBootstrap {
            guard let shortServerID = security.shortServerID,
                let server = self.tree.servers.first(where: { $0.shortServerID == shortServerID }),
                !self.connections.contains(where: { $0.shortServerID == shortServerID })
            else { continue }
            guard security.address != nil else {
                self.report(.registrationFailed(shortServerID: shortServerID, .unusableAccount))
                continue
            }
            self.connections.append(
                ServerConnection(
                    security: security,
                    server: server,
                    version: self.version,
                    hasBootstrapAccount: hasBootstrapAccount
                )
            )
        }
        for index in self.connections.indices {
            self.perform(self.connections[index].registration.start(now: now), on: index, now: now)
        }
    }

    /// Carries out what a registration machine decided.
    mutating func perform(_ action: RegistrationMachine.Action, on index: Int, now: MonotonicTime) {
        let shortServerID = self.connections[index].shortServerID
        switch action {
        case .none:
            break
        case .connect:
            self.openSession(on: index, now: now)
        case .sendRegister(let version):
            self.connections[index].endObservations()
            self.sendRegister(version, on: index)
        case .sendUpdate(let location, let changes):
            self.sendUpdate(location, changes, on: index)
        case .sendDeregister(let location):
            self.connections[index].endObservations()
            self.send(RegistrationRequests.deregister(location: location), on: index)
        case .disconnect:
            self.connections[index].endObservations()
            self.closeSession(on: index)
        case .reportRegistered(let since):
            self.report(.registered(shortServerID: shortServerID, since: since))
            self.bootstrap.fallbacks = 0
            // A server that can be reached after all makes the next attempt to bootstrap unnecessary.
            if self.bootstrap.machine.isBackingOff { self.abandonBootstrap() }
        case .reportUpdated(let since):
            self.report(.updated(shortServerID: shortServerID, since: since))
            self.sendStored(on: index, now: now)
        case .reportDeregistered:
            self.closeSession(on: index)
            self.report(.deregistered(shortServerID: shortServerID))
        case .reportNotDeregistered(let failure):
            self.closeSession(on: index)
            self.report(.registrationFailed(shortServerID: shortServerID, failure))
        case .reportFailed(let failure):
            self.connections[index].endObservations()
            self.closeSession(on: index)
            self.report(.registrationFailed(shortServerID: shortServerID, failure))
        case .reconnect(let failure):
            self.report(.registrationFailed(shortServerID: shortServerID, failure))
            self.openSession(on: index, now: now)
        case .giveUp(let failure):
            self.connections[index].endObservations()
            self.closeSession(on: index)
            self.report(.registrationFailed(shortServerID: shortServerID, failure))
            self.report(.registrationFailed(shortServerID: shortServerID, .gaveUp))
            self.fallBackToBootstrap(from: index, now: now)
        }
    }

    mutating func sessionLost(on index: Int, _ failure: SessionFailure, now: MonotonicTime) {
        self.connections[index].session = nil
        self.connections[index].isOpen = false
        self.connections[index].peerAddress = nil
        self.connections[index].request = nil
        let stores = self.connections[index].storesNotifications
        for position in self.connections[index].observations.indices {
            self.connections[index].observations[position].machine.sessionLost(repeats: stores)
        }
        self.connections[index].isStoredInFlight = false
        let jitter = self.jitter()
        self.perform(
            self.connections[index].registration.sessionLost(failure, jitter: jitter, now: now),
            on: index,
            now: now
        )
    }

    mutating func registrationAnswered(_ response: CoAPResponse, on index: Int, now: MonotonicTime) {
        self.connections[index].request = nil
        let action: RegistrationMachine.Action
        switch response.code {
        case .created:
            let location = response.options.texts(.locationPath).flatMap(RegistrationLocation.init(segments:))
            action = self.connections[index].registration.created(location: location, now: now)
        case .changed:
            action = self.connections[index].registration.updated(now: now)
        case .deleted:
            action = self.connections[index].registration.deleted(now: now)
        default:
            action = self.connections[index].registration.refused(response.code, now: now)
        }
        self.perform(action, on: index, now: now)
    }

    mutating func registrationUnanswered(_ failure: RequestFailure, on index: Int, now: MonotonicTime) {
        self.connections[index].request = nil
        if failure == .sessionClosed {
            // What becomes of the session decides, and the transport reports it next; take it as lost already.
            if let session = self.connections[index].session { self.put(.closeSession(session)) }
            self.sessionLost(on: index, .closed, now: now)
            return
        }
        self.perform(self.connections[index].registration.unanswered(failure, now: now), on: index, now: now)
    }

    mutating func requestUpdate(_ shortServerID: UInt16?, now: MonotonicTime) {
        guard self.phase == .running else { return }
        for index in self.connections.indices
        where shortServerID == nil || self.connections[index].shortServerID == shortServerID {
            self.perform(self.connections[index].registration.updateRequested(now: now), on: index, now: now)
        }
    }

    /// Tells every server that the list of objects and instances changed.
    mutating func objectListChanged(_ object: UInt16, now: MonotonicTime) {
        guard !DeviceTree.isHidden(object) else { return }
        for index in self.connections.indices {
            self.perform(self.connections[index].registration.changed(.objects, now: now), on: index, now: now)
        }
    }

    /// Takes over a changed instance of the Server object.
    mutating func serverAccountChanged(instance: UInt16, now: MonotonicTime) {
        guard let index = self.connections.firstIndex(where: { $0.serverInstance == instance }),
            let server = self.tree.server(instance: instance)
        else { return }
        let changes = self.connections[index].apply(server, hasBootstrapAccount: self.tree.bootstrapAccount != nil)
        guard !changes.isEmpty else { return }
        self.perform(self.connections[index].registration.changed(changes, now: now), on: index, now: now)
    }

    mutating func closeSession(on index: Int) {
        if let session = self.connections[index].session { self.put(.closeSession(session)) }
        self.connections[index].session = nil
        self.connections[index].isOpen = false
        self.connections[index].peerAddress = nil
        self.connections[index].request = nil
    }

    private mutating func openSession(on index: Int, now: MonotonicTime) {
        self.closeSession(on: index)
        let instance = self.connections[index].securityInstance
        guard let account = self.tree.security.first(where: { $0.instance == instance }), let address = account.address
        else {
            let jitter = self.jitter()
            self.perform(
                self.connections[index].registration.sessionLost(.local, jitter: jitter, now: now),
                on: index,
                now: now
            )
            return
        }
        let session = self.makeSessionID()
        self.connections[index].session = session
        self.put(.openSession(session, address.uri, address.credentials))
    }

    private mutating func sendRegister(_ version: EnablerVersion, on index: Int) {
        let connection = self.connections[index]
        self.send(
            RegistrationRequests.register(
                endpoint: self.endpoint,
                lifetime: connection.registration.parameters.lifetime,
                version: version,
                binding: connection.binding,
                objects: self.tree.objectList(version: version)
            ),
            on: index
        )
    }

    private mutating func sendUpdate(_ location: RegistrationLocation, _ changes: RegistrationChanges, on index: Int) {
        let connection = self.connections[index]
        self.send(
            RegistrationRequests.update(
                location: location,
                lifetime: changes.contains(.lifetime) ? connection.registration.parameters.lifetime : nil,
                binding: changes.contains(.binding) ? connection.binding : nil,
                version: self.version,
                objects: changes.contains(.objects) ? self.tree.objectList(version: self.version) : nil
            ),
            on: index
        )
    }

    private mutating func send(_ request: CoAPRequest, on index: Int) {
        guard let session = self.connections[index].session else { return }
        let id = self.makeRequestID()
        self.connections[index].request = id
        self.put(.sendRequest(id, session, request))
    }

    /// Bootstrap is the way out when no server is left.
    ///
    /// - Source: LwM2M Core 1.2.2, appendix E.2, resource 16.
    private mutating func fallBackToBootstrap(from index: Int, now: MonotonicTime) {
        guard self.phase == .running, self.connections[index].registration.parameters.fallsBackToBootstrap,
            !self.connections.contains(where: { $0.registration.location != nil }),
            let account = self.tree.bootstrapAccount
        else { return }
        self.fallBackToBootstrap(account, now: now)
    }
}

extension SecurityAccount {
    /// Where the server is and how the session is secured; nil when this client cannot open it.
    var address: (uri: CoAPURI, credentials: SessionCredentials)? {
        guard let uri = try? CoAPURI(parsing: self.serverURI) else { return nil }
        switch (self.mode, uri.scheme) {
        case (.noSecurity, .coap):
            return (uri, .none)
        case (.preSharedKey, .coaps) where !self.identity.isEmpty && !self.key.isEmpty:
            return (uri, .preSharedKey(identity: self.identity, key: self.key))
        default:
            return nil
        }
    }
}
