import CLibCoAP
import CoAPMessages
import Primitives

#if canImport(Glibc)
    import Glibc
#endif

extension CoAPTransport {
    /// Begins a session with a peer; ``TransportEvent/sessionConnected(_:tag:)`` follows, or
    /// ``TransportEvent/sessionClosed(_:tag:_:)``.
    ///
    /// - Parameters:
    ///   - peer: an address with a port.
    ///   - source: the local address to send from, of the same family; port 0 lets the system choose one.
    ///   - tag: given back with every event of the session.
    /// - Throws: ``TransportError``: `invalidAddress`, `invalidKey`, `tooManySessions`, `outOfResources`.
    public func openSession(
        to peer: SocketAddress,
        security: SessionSecurity,
        from source: SocketAddress?,
        tag: UInt64
    ) throws(TransportError) -> TransportSession {
        LibraryLock.acquire()
        defer { LibraryLock.release() }
        guard peer.port != 0, source == nil || source?.isIPv6 == peer.isIPv6 else { throw .invalidAddress }
        guard self.openSessions < self.configuration.maximumSessions else {
            throw .tooManySessions(limit: self.configuration.maximumSessions)
        }
        let context = try self.contextWithRoom()
        // The library lets its sockets share ports, so the system would give a port twice. Here it does not.
        var source = source
        if let wanted = source, wanted.port == 0 { source = try PortProbe.freeAddress(for: wanted) }
        var isSecured = false
        let losesReceived = self.configuration.lossPercent > 0
        let descriptor = losesReceived ? DescriptorProbe.next() : nil
        let pointer: OpaquePointer?
        self.depth += 1
        switch security {
        case .none:
            var remote = peer.libraryAddress
            if var local = source?.libraryAddress {
                pointer = coap_new_client_session(context.pointer, &local, &remote, COAP_PROTO_UDP)
            } else {
                pointer = coap_new_client_session(context.pointer, nil, &remote, COAP_PROTO_UDP)
            }
        case .preSharedKey(let key, let serverName):
            isSecured = true
            TLSMemory.beginSession()
            guard (1...255).contains(key.identity.count), (1...64).contains(key.key.count) else {
                self.depth -= 1
                throw .invalidKey
            }
            pointer = self.openSecured(context, to: peer, from: source, key: key, serverName: serverName)
        }
        self.depth -= 1
        guard let pointer else {
            throw starling_socket_error() == EADDRNOTAVAIL ? .addressNotAvailable : .outOfResources
        }
        if losesReceived,
            !DatagramLoss.loseReceived(percent: self.configuration.lossPercent, at: descriptor ?? -1, connectedTo: peer)
        {
            self.counters.losslessSessions += 1
        }
        self.prepare(pointer)
        let slot = self.takeSlot(pointer, in: context, isClient: true)
        self.sessions[slot].tag = tag
        self.sessions[slot].isSecured = isSecured
        if isSecured { self.sessions[slot].handshakeBuffer = TLSMemory.handshakeSlot }
        if isSecured { self.beginHandshake(slot, in: context) } else { self.plainOpened.append(self.handle(slot)) }
        return self.handle(slot)
    }

    /// Ends a session, telling the peer; no event follows.
    public func closeSession(_ session: TransportSession) {
        LibraryLock.acquire()
        defer { LibraryLock.release() }
        guard let slot = self.slot(of: session), self.sessions[slot].state != .closing else { return }
        self.endQuietly(slot)
        self.closing.append(session)
        self.finishBatch()
    }

    /// Accepts sessions on an address.
    ///
    /// - Parameter address: port 0 lets the system choose one.
    /// - Returns: the address with the port in use.
    /// - Throws: ``TransportError``: `addressInUse`, `addressNotAvailable`, `outOfResources`.
    public func listen(
        on address: SocketAddress,
        security: ListenerSecurity
    ) throws(TransportError) -> SocketAddress {
        LibraryLock.acquire()
        defer { LibraryLock.release() }
        let bound = try PortProbe.freeAddress(for: address)
        let listener: Listener
        var hint: [UInt8] = []
        switch security {
        case .none:
            listener = Listener(lookup: nil)
        case .preSharedKey(let given, let lookup):
            hint = given
            listener = Listener(lookup: lookup)
        }
        let context = try self.addContext(listener: listener)
        let most = UInt32(clamping: self.configuration.maximumSessions)
        coap_context_set_max_handshake_sessions(context.pointer, most)
        coap_context_set_max_idle_sessions(context.pointer, most)
        let idle = max(1, min(self.configuration.idleTimeout.components.seconds, Int64(Int32.max)))
        coap_context_set_session_timeout(context.pointer, UInt32(idle))
        if listener.lookup != nil { self.offerKeys(on: context, hint: hint) }
        var local = bound.libraryAddress
        let proto = listener.lookup == nil ? COAP_PROTO_UDP : COAP_PROTO_DTLS
        let descriptor = DescriptorProbe.next()
        guard coap_new_endpoint(context.pointer, &local, proto) != nil else { throw .addressInUse }
        if let descriptor { ReceiveBuffer.enlarge(descriptor, boundTo: bound) }
        self.scheduleSweep()
        return bound
    }

    private func contextWithRoom() throws(TransportError) -> TransportContext {
        let limit = CoAPLibrary.isProven ? self.configuration.sessionsPerContext : 64
        for context in self.contexts.reversed() where context.listener == nil && context.sessionCount < limit {
            return context
        }
        return try self.addContext(listener: nil)
    }

    /// Gives a session of the library our timers.
    func prepare(_ session: OpaquePointer) {
        let milliseconds = max(1_000, self.configuration.acknowledgeTimeout.nanoseconds / 1_000_000)
        coap_session_set_ack_timeout(
            session,
            coap_fixed_point_t(
                integer_part: UInt16(clamping: milliseconds / 1_000),
                fractional_part: UInt16(milliseconds % 1_000)
            )
        )
        coap_session_set_max_retransmit(session, UInt16(clamping: max(1, self.configuration.maximumRetransmit)))
        // One message at a time is our own doing: the library would not say when the next one may go.
        coap_session_set_nstart(session, 64)
    }

    private func openSecured(
        _ context: TransportContext,
        to peer: SocketAddress,
        from source: SocketAddress?,
        key: PreSharedKey,
        serverName: UTF8Text?
    ) -> OpaquePointer? {
        var remote = peer.libraryAddress
        var local = source?.libraryAddress ?? coap_address_t()
        var name: [CChar] = (serverName?.bytes ?? []).map { CChar(bitPattern: $0) }
        name.append(0)
        return key.identity.withUnsafeBufferPointer { identity in
            key.key.withBytes { secret in
                name.withUnsafeMutableBufferPointer { name in
                    var setup = coap_dtls_cpsk_t()
                    setup.version = UInt8(COAP_DTLS_CPSK_SETUP_VERSION)
                    setup.client_sni = serverName == nil ? nil : name.baseAddress
                    setup.psk_info.identity.s = identity.baseAddress
                    setup.psk_info.identity.length = identity.count
                    setup.psk_info.key.s = secret.baseAddress
                    setup.psk_info.key.length = secret.count
                    if source != nil {
                        return coap_new_client_session_psk2(context.pointer, &local, &remote, COAP_PROTO_DTLS, &setup)
                    }
                    return coap_new_client_session_psk2(context.pointer, nil, &remote, COAP_PROTO_DTLS, &setup)
                }
            }
        }
    }

    private func offerKeys(on context: TransportContext, hint: [UInt8]) {
        hint.withUnsafeBufferPointer { hint in
            var setup = coap_dtls_spsk_t()
            setup.version = UInt8(COAP_DTLS_SPSK_SETUP_VERSION)
            setup.validate_id_call_back = { identity, session, argument in
                guard let identity, let argument else { return nil }
                let context = Unmanaged<TransportContext>.fromOpaque(argument).takeUnretainedValue()
                let bytes = Array(UnsafeBufferPointer(start: identity.pointee.s, count: identity.pointee.length))
                return context.transport.keyWanted(bytes, on: session, in: context)
            }
            setup.id_call_back_arg = Unmanaged.passUnretained(context).toOpaque()
            setup.psk_info.hint.s = hint.baseAddress
            setup.psk_info.hint.length = hint.count
            setup.psk_info.key.s = nil
            _ = coap_context_set_psk2(context.pointer, &setup)
        }
    }

    /// The key of an identity, lent to the library until the next one is wanted.
    private func keyWanted(
        _ identity: [UInt8],
        on session: OpaquePointer?,
        in context: TransportContext
    ) -> UnsafePointer<coap_bin_const_t>? {
        guard let listener = context.listener, let key = listener.lookup?(identity), !key.isEmpty,
            key.count <= Listener.keyCapacity
        else {
            self.counters.unknownIdentities += 1
            return nil
        }
        key.withBytes { bytes in
            for (index, byte) in bytes.enumerated() { listener.key[index] = byte }
        }
        listener.answer.pointee.s = UnsafePointer(listener.key)
        listener.answer.pointee.length = key.count
        if let session, let slot = self.slot(of: session) { self.sessions[slot].hasNamedIdentity = true }
        return UnsafePointer(listener.answer)
    }
}
