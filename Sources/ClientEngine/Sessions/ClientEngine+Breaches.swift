import CoAPMessages
import CommandSessions
import LwM2MModel
import Primitives

/// Paths that are changed in sessions only, and what is done about who does not keep to it.
extension ClientEngine {
    /// Refuses a change of a protected path outside a session.
    ///
    /// - Throws: 4.03 to the gateway, 4.01 to any other server; counted, and answered as the policy says.
    mutating func authoriseChange(
        _ parsed: ManagementRequest,
        _ request: CoAPRequest,
        from index: Int,
        now: MonotonicTime
    ) throws(Refusal) {
        guard parsed.isChange, !self.sessions.isEmpty else { return }
        for position in self.sessions.indices where self.isProtected(parsed, request, by: self.sessions[position]) {
            let connection = self.connections[index]
            let isGateway = self.sessions[position].objection(to: connection) == nil
            self.countSession(position, .refusedDirectChanges)
            self.respond(to: .directChange, at: position, from: connection.shortServerID, now: now)
            throw Refusal(isGateway ? .forbidden : .unauthorized)
        }
    }

    /// Lets nobody but its gateway see an instance of the object.
    ///
    /// Notifications ask here each time: a policy changes, and an address moves, while an observation goes on.
    /// - Throws: 4.01.
    func authoriseLook(at path: ObjectPath, from index: Int) throws(Refusal) {
        guard self.tree.isSessionObject(path.object) else { return }
        let connection = self.connections[index]
        for host in self.sessions where path.instance == nil || path.instance == host.instance {
            guard host.objection(to: connection) == nil, !host.blocked.contains(connection.shortServerID) else {
                throw Refusal(.unauthorized)
            }
        }
    }

    private func isProtected(_ parsed: ManagementRequest, _ request: CoAPRequest, by host: CommandSessionHost) -> Bool {
        let path = parsed.path
        // The policy itself is changed in a session, or by bootstrap.
        if self.tree.isSessionObject(path.object) { return path.instance == nil || path.instance == host.instance }
        guard host.policy.protects(path) else { return false }
        switch parsed {
        case .create:
            // A new instance changes none of those that are there.
            return host.policy.protectedPaths.contains {
                $0.object == path.object && ($0.depth == 1 || self.tree.instance($0) == nil)
            }
        case .write(_, .update, let format):
            if host.policy.protectedPaths.contains(where: { $0.contains(path) }) { return true }
            // Of what is kept nothing changes; a payload that cannot be read is refused where it is written.
            let records = (try? self.decode(request.payload, as: format, at: path)) ?? []
            return records.contains { host.policy.protects($0.path) }
        default:
            return true
        }
    }

    /// Does what the policy says about a breach.
    mutating func respond(
        to breach: SessionBreach,
        at position: Int,
        from shortServerID: UInt16,
        now: MonotonicTime
    ) {
        let host = self.sessions[position]
        let responses = host.policy.breaches[breach.line]
        let connection = self.connections.firstIndex { $0.shortServerID == shortServerID }
        let address = responses.contains(.trace) ? connection.flatMap { self.connections[$0].peerAddress } : nil
        if breach != .directChange { self.countSession(position, .breaches) }
        if responses.contains(.log) {
            self.report(.commandSessionBreached(breach, shortServerID: shortServerID, address: address))
        }
        if responses.contains(.report) {
            self.setSession(position, .lastBreach, .string(breach.text(shortServerID, address)))
        }
        if responses.contains(.alarm), !self.hasAlarm(position) {
            self.setSession(position, .alarm, .boolean(true))
            self.sessions[position].hasUnstoredAlarm = true
            self.storeSessions()
        }
        if responses.contains(.block), !host.blocked.contains(shortServerID),
            host.blocked.count < EngineLimits.accounts
        {
            self.sessions[position].blocked.append(shortServerID)
        }
        if responses.contains(.suspend), let connection {
            for position in self.sessions.indices where self.sessions[position].partner == shortServerID {
                self.withMachine(position) { $0.abort() }
                self.showSession(position)
            }
            let seconds = host.policy.suspension
            self.report(.serverSuspended(shortServerID: shortServerID, seconds: seconds))
            self.perform(
                self.connections[connection].registration.suspend(seconds: seconds, now: now),
                on: connection,
                now: now
            )
        }
    }

    /// Resets the alarm of an instance.
    ///
    /// - Returns: false when the path is no such resource.
    mutating func resetAlarm(_ path: ObjectPath) -> Bool {
        guard self.tree.isSessionObject(path.object), path.resource == SessionResource.resetAlarm.rawValue,
            let position = self.sessions.firstIndex(where: { $0.instance == path.instance })
        else { return false }
        self.setSession(position, .alarm, .boolean(false))
        return true
    }

    private func hasAlarm(_ position: Int) -> Bool {
        self.tree.value(at: self.tree.sessionPath(self.sessions[position].instance, .alarm)) == .boolean(true)
    }
}

extension SessionBreach {
    /// What servers read of it; `wrong-identifier server 1 at 192.0.2.1`.
    fileprivate func text(_ shortServerID: UInt16, _ address: IPAddress?) -> UTF8Text {
        var bytes = self.name.withUTF8Buffer { Array($0) } + Array(" server \(shortServerID)".utf8)
        if let address { bytes += Array(" at ".utf8) + address.text.bytes }
        return UTF8Text(validating: bytes) ?? ""
    }
}

extension ManagementRequest {
    /// Whether the operation changes or executes something.
    var isChange: Bool {
        switch self {
        case .write, .execute, .create, .delete, .postResource: true
        case .read, .discover, .observe, .cancelObservation, .writeAttributes: false
        }
    }
}
