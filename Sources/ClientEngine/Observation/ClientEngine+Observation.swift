import CoAPMessages
import LwM2MModel
import Primitives

/// The information reporting interface: observations and their notifications.
///
/// - Source: LwM2M Core 1.2.2, clause 6.4; RFC 7641.
extension ClientEngine {
    /// Adds an observation and answers with the present value.
    mutating func observe(
        _ path: ObjectPath,
        accept: ContentFormat?,
        token: CoAPToken,
        from index: Int,
        now: MonotonicTime
    ) throws(Refusal) -> CoAPResponse {
        let format = accept ?? self.preferredFormat
        let records = try self.read(path, now: now)
        var response = try Self.content(records, as: format, at: path)
        self.connections[index].observations.removeAll { $0.token == token }
        guard self.connections[index].observations.count < EngineLimits.observationsPerServer else {
            // RFC 7641, section 4.1: a server that takes no more observers answers a plain read.
            return response
        }
        self.connections[index].observations.append(
            Observation(
                key: self.makeObservationKey(),
                path: path,
                token: token,
                format: format,
                machine: ObservationMachine(number: Self.number(of: records, at: path), now: now),
                sentAt: now
            )
        )
        response.options.append(.observe, unsigned: 0)
        return response
    }

    /// Ends the observation of the token, or those of the path when the token names none.
    mutating func cancelObservation(_ path: ObjectPath, token: CoAPToken, from index: Int) {
        if self.connections[index].observations.contains(where: { $0.token == token }) {
            self.connections[index].observations.removeAll { $0.token == token }
        } else {
            self.connections[index].observations.removeAll { $0.path == path }
        }
    }

    /// Attaches, changes or removes attributes for one server.
    mutating func writeAttributes(_ query: [UTF8Text], at path: ObjectPath, from index: Int) throws(Refusal) {
        let object = try self.tree.resolve(path)
        let resource = path.resource.flatMap(object.definition.resource)
        if let resource, let instance = self.tree.instance(path) {
            guard resource.operations.contains(.read) else { throw Refusal(.methodNotAllowed) }
            guard instance.values.contains(resource: resource.id) else { throw Refusal(.notFound) }
        }
        let attached = self.connections[index].attributes.attached(to: path)
        let attributes = try AttributeQuery.apply(query, to: attached)
        try AttributeQuery.check(attributes, for: resource?.type)
        guard self.connections[index].attributes.set(attributes, for: path) else {
            throw Refusal(.requestEntityTooLarge)
        }
    }

    /// Tells every observation at, above or below a path that it changed.
    mutating func valueChanged(_ path: ObjectPath) {
        for index in self.connections.indices {
            for position in self.connections[index].observations.indices {
                let observed = self.connections[index].observations[position].path
                guard observed.contains(path) || path.contains(observed) else { continue }
                let attributes = self.connections[index].effectiveAttributes(at: observed)
                let number = self.tree.value(at: observed)?.asNumber
                self.connections[index].observations[position].machine.changed(to: number, attributes: attributes)
            }
        }
    }

    /// Sends, or keeps while the server cannot be reached, what is due.
    mutating func notifyDue(on index: Int, now: MonotonicTime) {
        let isSending = self.connections[index].canNotify(now: now) && self.connections[index].stored.isEmpty
        guard isSending || self.connections[index].keepsNotifications else { return }
        var position = 0
        while position < self.connections[index].observations.count {
            let path = self.connections[index].observations[position].path
            let attributes = self.connections[index].effectiveAttributes(at: path)
            let action = self.connections[index].observations[position].machine.deadlineReached(
                attributes: attributes,
                confirms: self.confirmsNotifications,
                now: now
            )
            if case .notify(let isConfirmable) = action {
                let isKept =
                    isSending
                    ? self.notify(on: index, position, isConfirmable: isConfirmable, now: now)
                    : self.keep(on: index, position, now: now)
                // An observation that ended left its place to the next one.
                if !isKept { continue }
            }
            position += 1
        }
    }

    mutating func acknowledged(_ notification: NotificationID, now: MonotonicTime) {
        guard let (index, position) = self.observation(of: notification) else { return }
        let observation = self.connections[index].observations[position]
        if self.connections[index].isStoredInFlight,
            self.connections[index].stored.first?.observation == observation.key
        {
            self.connections[index].stored.removeFirst()
            self.connections[index].isStoredInFlight = false
        }
        self.connections[index].observations[position].machine.acknowledged(now: now)
        self.report(.notificationAcknowledged(observation.path, since: observation.sentAt))
        self.sendStored(on: index, now: now)
    }

    mutating func notificationFailed(_ notification: NotificationID, _ failure: RequestFailure, now: MonotonicTime) {
        guard let (index, position) = self.observation(of: notification) else { return }
        if failure == .reset {
            // RFC 7641, section 3.6: a Reset says that the server has forgotten the observation.
            self.endObservation(on: index, position)
            return
        }
        self.connections[index].isStoredInFlight = false
        self.connections[index].observations[position].machine.unacknowledged(
            repeats: self.connections[index].storesNotifications
        )
        guard failure == .timedOut else { return }
        // Silence ends nothing by itself (clause 6.4.3); Update finds out whether the server is there.
        self.perform(self.connections[index].registration.updateRequested(now: now), on: index, now: now)
    }

    /// Sends the oldest of the kept notifications; the others follow its acknowledgement.
    mutating func sendStored(on index: Int, now: MonotonicTime) {
        guard !self.connections[index].isStoredInFlight, self.connections[index].canNotify(now: now) else { return }
        while let first = self.connections[index].stored.first {
            guard
                let position = self.connections[index].observations.firstIndex(where: { $0.key == first.observation }),
                let session = self.connections[index].session
            else {
                self.connections[index].stored.removeFirst()
                continue
            }
            self.connections[index].isStoredInFlight = true
            let observation = self.connections[index].observations[position]
            let response = CoAPResponse(.content, contentFormat: observation.format, payload: first.payload)
            self.send(response, on: index, position, session, isConfirmable: true, now: now)
            return
        }
    }

    /// The one number that is observed; nil when it is more or something else.
    static func number(of records: [ResourceRecord], at path: ObjectPath) -> Double? {
        records.count == 1 && records[0].path == path ? records[0].value.asNumber : nil
    }

    // MARK: One notification

    /// Sends the present value.
    ///
    /// - Returns: false when there is none any more and the observation ended.
    private mutating func notify(on index: Int, _ position: Int, isConfirmable: Bool, now: MonotonicTime) -> Bool {
        guard let session = self.connections[index].session else { return true }
        let observation = self.connections[index].observations[position]
        do {
            try self.authoriseLook(at: observation.path, from: index)
            let records = try self.read(observation.path, now: now)
            let response = try Self.content(records, as: observation.format, at: observation.path)
            let number = Self.number(of: records, at: observation.path)
            self.connections[index].observations[position].machine.notified(
                number: number,
                isConfirmable: isConfirmable,
                now: now
            )
            self.send(response, on: index, position, session, isConfirmable: isConfirmable, now: now)
            return true
        } catch {
            // RFC 7641, section 4.2: an error without Observe is the last notification.
            let id = NotificationID(rawValue: UInt32(observation.key) << 16)
            self.put(.sendNotification(id, session, observation.token, CoAPResponse(error.code), isConfirmable: false))
            self.endObservation(on: index, position)
            return false
        }
    }

    private mutating func send(
        _ response: CoAPResponse,
        on index: Int,
        _ position: Int,
        _ session: SessionID,
        isConfirmable: Bool,
        now: MonotonicTime
    ) {
        var response = response
        let sequence = self.connections[index].observations[position].nextSequence()
        self.connections[index].observations[position].sentAt = now
        let observation = self.connections[index].observations[position]
        response.options.append(.observe, unsigned: UInt64(sequence))
        let id = NotificationID(rawValue: UInt32(observation.key) << 16 | sequence & 0xFFFF)
        self.put(.sendNotification(id, session, observation.token, response, isConfirmable: isConfirmable))
        self.report(.notificationSent(observation.path))
    }

    /// Keeps the present value for later.
    ///
    /// - Returns: false when there is none any more and the observation ended.
    private mutating func keep(on index: Int, _ position: Int, now: MonotonicTime) -> Bool {
        guard self.connections[index].keepsNotifications else { return true }
        let observation = self.connections[index].observations[position]
        guard (try? self.authoriseLook(at: observation.path, from: index)) != nil,
            let records = try? self.read(observation.path, now: now),
            let content = try? Self.content(records, as: observation.format, at: observation.path)
        else {
            self.endObservation(on: index, position)
            return false
        }
        self.connections[index].stored.append(
            StoredNotification(observation: observation.key, payload: content.payload)
        )
        self.connections[index].observations[position].machine.notified(
            number: Self.number(of: records, at: observation.path),
            isConfirmable: false,
            now: now
        )
        return true
    }

    private mutating func endObservation(on index: Int, _ position: Int) {
        let key = self.connections[index].observations[position].key
        self.connections[index].observations.remove(at: position)
        if self.connections[index].stored.first?.observation == key { self.connections[index].isStoredInFlight = false }
        self.connections[index].stored.removeAll { $0.observation == key }
    }

    private func observation(of notification: NotificationID) -> (Int, Int)? {
        let key = UInt16(truncatingIfNeeded: notification.rawValue >> 16)
        for index in self.connections.indices {
            if let position = self.connections[index].observations.firstIndex(where: { $0.key == key }) {
                return (index, position)
            }
        }
        return nil
    }
}
