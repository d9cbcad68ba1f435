import ClientEngine
import CoAPMessages
import CommandSessions
import LwM2MCodecs
import LwM2MModel
import Primitives
import Testing

/// Bootstrap of a device with command sessions, which a server triggers by an Execute of /1/0/9.
extension SessionBench {
    static let object = ObjectPath(OwnObjectIDs.standard.commandSession)

    /// A device with a bootstrap account besides, registered with its server.
    init(bootstrapping policy: SessionPolicy?, objects: [HostedObject] = [], storesAtOnce: Bool = true) throws {
        var configuration = Self.configuration(try policy ?? Self.policy())
        if policy == nil { configuration.commandSessions = [] }
        configuration.security.append(Sample.bootstrapAccount())
        configuration.objects += objects
        try self.init(configuration, storesAtOnce: storesAtOnce)
    }

    /// Has the device bootstrapped until its bootstrap server may deliver.
    mutating func beginBootstrap() throws -> SessionID {
        let trigger = Sample.request(.post, ObjectPath(1, 0, 9))
        return try self.openBootstrap(self.driver.request(trigger, session: self.sessions[0]).outputs)
    }

    /// Brings a bootstrap that has begun to where its server may deliver.
    mutating func openBootstrap(_ outputs: [ClientOutput]) throws -> SessionID {
        let session = try #require(outputs.openedSession)
        let request = try #require(self.driver.handle(.sessionOpened(session)).sentRequest)
        #expect(request.request.path == ["bs"])
        self.driver.handle(.responseReceived(request.id, CoAPResponse(.changed)))
        return session
    }

    mutating func deliver(_ records: [ResourceRecord], at path: ObjectPath, _ session: SessionID) throws -> CoAPCode? {
        self.driver.answer(try BootstrapTests.write(records, at: path, as: .senMLCBOR), session: session)?.code
    }

    mutating func deliverDeletion(of path: ObjectPath, _ session: SessionID) -> CoAPCode? {
        self.driver.answer(Sample.request(.delete, path), session: session)?.code
    }

    /// Delivers an instance of the object, with the identifiers where there are some.
    mutating func deliver(
        _ policy: SessionPolicy,
        instance: UInt16 = 0,
        identifiers: SessionPair? = nil,
        _ session: SessionID
    ) throws -> CoAPCode? {
        let path = Self.object.appending(instance)
        var records = policy.records(instance: instance)
        if let gsid = identifiers?.gsid {
            records.append(ResourceRecord(path.appending(20), .opaque(gsid.copyBytes())))
        }
        if let dsid = identifiers?.dsid {
            records.append(ResourceRecord(path.appending(21), .opaque(dsid.copyBytes())))
        }
        return try self.deliver(records, at: path, session)
    }

    /// Ends bootstrap, and has the device registered again.
    mutating func finishBootstrap(_ session: SessionID) throws {
        let (exchange, outputs) = self.driver.request(BootstrapTests.finish, session: session)
        #expect(outputs.contains(.sendResponse(exchange, CoAPResponse(.changed))))
        self.keepStored(outputs)
        try self.register(outputs)
    }

    /// Lets bootstrap fail because the server is silent, and has the device registered again.
    mutating func failBootstrap() throws {
        try self.register(self.driver.advance(.seconds(247)))
    }

    mutating func register(_ outputs: [ClientOutput]) throws {
        self.sessions = []
        for case .openSession(let session, _, _) in outputs {
            self.sessions.append(session)
            let opened = self.driver.handle(.sessionOpened(session, peerAddress: IPAddress(Self.gatewayAddress)))
            self.driver.handle(.responseReceived(try #require(opened.sentRequest).id, Sample.created()))
        }
        #expect(!self.sessions.isEmpty)
    }

    mutating func keepStored(_ outputs: [ClientOutput]) {
        for case .store(_, let configuration) in outputs { self.stored = configuration }
    }
}
