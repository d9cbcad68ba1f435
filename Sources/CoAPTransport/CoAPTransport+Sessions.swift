import CLibCoAP
import CoAPMessages
import Glibc
import Primitives

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
        guard peer.port != 0, source == nil || source?.isIPv6 == peer.isIPv6 else { throw .invalidAddress }
        guard self.openSessions < self.configuration.maximumSessions else {
            throw .tooManySessions(limit: self.configuration.maximumSessions)
        }
        let context = try self.contextWithRoom()
        var isSecured = false
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
            guard (1...255).contains(key.identity.count), (1...64).contains(key.key.count) else {
                self.depth -= 1
                throw .invalidKey
            }
            pointer = self.openSecured(context, to: peer, from: source, key: key, serverName: serverName)
        }
        self.depth -= 1
        guard let pointer else { throw errno == EADDRNOTAVAIL ? .addressNotAvailable : .outOfResources }
        self.prepare(pointer)
        let slot = self.takeSlot(pointer, in: context, isClient: true)
        context.sessionCount += 1
        self.sessions[slot].tag = tag
        self.sessions[slot].isSecured = isSecured
        if isSecured { self.beginPending(in: context) } else { self.plainOpened.append(self.handle(slot)) }
        return self.handle(slot)
    }

    /// Ends a session, telling the peer; no event follows.
    public func closeSession(_ session: TransportSession) {
        guard let slot = self.slot(of: session), !self.sessions[slot].isSilent else { return }
        if self.sessions[slot].state == .opening, self.sessions[slot].isSecured {
            self.endPending(in: self.contexts[Int(self.sessions[slot].context)])
        }
        self.sessions[slot].isSilent = true
        self.sessions[slot].state = .closing
        self.sessions[slot].requests = []
        self.closing.append(UInt32(slot))
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
        coap_context_set_max_handshake_sessions(context.pointer, 0)
        coap_context_set_max_idle_sessions(context.pointer, 0)
        let idle = max(1, min(self.configuration.idleTimeout.components.seconds, Int64(Int32.max)))
        coap_context_set_session_timeout(context.pointer, UInt32(idle))
        if listener.lookup != nil { self.offerKeys(on: context, hint: hint) }
        var local = bound.libraryAddress
        let proto = listener.lookup == nil ? COAP_PROTO_UDP : COAP_PROTO_DTLS
        guard coap_new_endpoint(context.pointer, &local, proto) != nil else { throw .addressInUse }
        return bound
    }

    private func contextWithRoom() throws(TransportError) -> TransportContext {
        let limit = CoAPLibrary.isProven ? self.configuration.sessionsPerContext : 64
        for context in self.contexts.reversed() where context.listener == nil && context.sessionCount < limit {
            return context
        }
        return try self.addContext(listener: nil)
    }

    private func prepare(_ session: OpaquePointer) {
        let milliseconds = max(1, self.configuration.acknowledgeTimeout.nanoseconds / 1_000_000)
        coap_session_set_ack_timeout(
            session,
            coap_fixed_point_t(
                integer_part: UInt16(clamping: milliseconds / 1_000),
                fractional_part: UInt16(milliseconds % 1_000)
            )
        )
        coap_session_set_max_retransmit(session, UInt16(clamping: self.configuration.maximumRetransmit))
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
        // The library keeps the structure but not what it points to beyond the call, except for the hint.
        var placeholder: UInt8 = 0
        hint.withUnsafeBufferPointer { hint in
            var setup = coap_dtls_spsk_t()
            setup.version = UInt8(COAP_DTLS_SPSK_SETUP_VERSION)
            setup.validate_id_call_back = { identity, session, argument in
                guard let identity, let argument else { return nil }
                let context = Unmanaged<TransportContext>.fromOpaque(argument).takeUnretainedValue()
                let bytes = Array(UnsafeBufferPointer(start: identity.pointee.s, count: identity.pointee.length))
                return context.transport.keyWanted(bytes, in: context)
            }
            setup.id_call_back_arg = Unmanaged.passUnretained(context).toOpaque()
            setup.psk_info.hint.s = hint.baseAddress
            setup.psk_info.hint.length = hint.count
            setup.psk_info.key.s = nil
            _ = coap_context_set_psk2(context.pointer, &setup)
        }
        _ = placeholder
        placeholder = 0
    }

    /// The key of an identity, lent to the library until the next one is wanted.
    private func keyWanted(_ identity: [UInt8], in context: TransportContext) -> UnsafePointer<coap_bin_const_t>? {
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
        return UnsafePointer(listener.answer)
    }
}

/// Finds out whether an address can be listened on, and which port the system gives it.
enum PortProbe {
    static func freeAddress(for address: SocketAddress) throws(TransportError) -> SocketAddress {
        let family = address.isIPv6 ? AF_INET6 : AF_INET
        let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { throw .outOfResources }
        defer { close(descriptor) }
        var wanted = address.libraryAddress
        let length = wanted.size
        let result = withUnsafeBytes(of: &wanted.addr) { bytes in
            // The union as a whole: its generic member alone is shorter than an IPv6 address.
            bytes.withMemoryRebound(to: sockaddr.self) { bind(descriptor, $0.baseAddress, length) }
        }
        guard result == 0 else {
            switch errno {
            case EADDRINUSE, EACCES: throw .addressInUse
            case EADDRNOTAVAIL: throw .addressNotAvailable
            default: throw .invalidAddress
            }
        }
        if address.port != 0 { return address }
        var found = coap_address_t()
        coap_address_init(&found)
        var size = found.size
        withUnsafeMutableBytes(of: &found.addr) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { _ = getsockname(descriptor, $0.baseAddress, &size) }
        }
        return SocketAddress(found) ?? address
    }
}
