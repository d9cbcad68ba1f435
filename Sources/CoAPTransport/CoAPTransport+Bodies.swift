import CLibCoAP
import CoAPMessages
import Primitives

/// Bodies of requests and answers that need several messages.
extension CoAPTransport {
    /// What is to be done with a request.
    enum BodyOutcome {
        case answer(CoAPResponse)
        case body([UInt8])
    }

    /// How many bytes the unfinished and served bodies of all sessions may take together.
    private var bodyLimit: Int { max(self.configuration.maximumBodySize &* 8, 1 << 24) }

    /// The whole body of a request, or what to answer instead.
    func body(
        of request: OpaquePointer,
        options: CoAPOptions,
        for exchange: inout Exchange,
        _ slot: Int
    ) -> BodyOutcome {
        let payload = LibraryMessage.payload(of: request)
        switch BlockOption.read(.block2, in: options) {
        case .malformed: return .answer(CoAPResponse(.badRequest))
        case .absent: break
        case .block(let block):
            exchange.wanted = block
            if block.number > 0, let part = self.servedBlock(block, exchange.key, payload, slot) {
                return .answer(part)
            }
        }
        switch BlockOption.read(.block1, in: options) {
        case .malformed: return .answer(CoAPResponse(.badRequest))
        case .absent: break
        case .block(let block):
            exchange.lastBlock = block
            return self.assemble(block, payload, announced: options.unsigned(.size1), exchange.key, slot)
        }
        return .body(payload)
    }

    private func assemble(
        _ block: BlockOption,
        _ payload: [UInt8],
        announced: UInt64?,
        _ key: RequestKey,
        _ slot: Int
    ) -> BodyOutcome {
        let limit = self.configuration.maximumBodySize
        if block.number == 0, !block.hasMore {
            return payload.count <= block.size ? .body(payload) : .answer(CoAPResponse(.badRequest))
        }
        if let announced, announced > UInt64(limit) {
            self.dropAssembly(key, slot)
            return .answer(self.bodyRefused())
        }
        let rare = self.rareState(slot)
        let expires = self.loop.now.advanced(by: CoAPTransport.exchangeLifetime)
        if block.number == 0 {
            self.dropAssembly(key, slot)
            if rare.assemblies.count >= RareState.assemblyLimit { self.dropOldestAssembly(slot) }
            rare.assemblies.append(BodyAssembly(key: key, expires: expires))
            self.scheduleSweep()
        }
        guard let index = rare.assemblies.firstIndex(where: { $0.key == key }) else {
            self.counters.incompleteBodies += 1
            return .answer(CoAPResponse(.requestEntityIncomplete))
        }
        guard self.bodyBytes + payload.count <= self.bodyLimit else {
            self.dropAssembly(key, slot)
            return .answer(CoAPResponse(.serviceUnavailable))
        }
        let before = rare.assemblies[index].bytes.count
        rare.assemblies[index].expires = expires
        let outcome = rare.assemblies[index].add(block, payload: payload, limit: limit)
        self.bodyBytes += rare.assemblies[index].bytes.count - before
        switch outcome {
        case .wantsMore:
            var response = CoAPResponse(.continue)
            block.write(.block1, to: &response.options)
            return .answer(response)
        case .complete(let body):
            self.dropAssembly(key, slot)
            return .body(body)
        case .incomplete:
            self.dropAssembly(key, slot)
            self.counters.incompleteBodies += 1
            return .answer(CoAPResponse(.requestEntityIncomplete))
        case .malformed:
            self.dropAssembly(key, slot)
            self.counters.incompleteBodies += 1
            return .answer(CoAPResponse(.badRequest))
        case .tooLarge:
            self.dropAssembly(key, slot)
            return .answer(self.bodyRefused())
        }
    }

    /// 4.13 with the largest body that would be taken.
    private func bodyRefused() -> CoAPResponse {
        self.counters.refusedBodies += 1
        var response = CoAPResponse(.requestEntityTooLarge)
        response.options.append(.size1, unsigned: UInt64(self.configuration.maximumBodySize))
        return response
    }

    private func dropAssembly(_ key: RequestKey, _ slot: Int) {
        guard let rare = self.sessions[slot].rare,
            let index = rare.assemblies.firstIndex(where: { $0.key == key })
        else { return }
        self.bodyBytes -= rare.assemblies.remove(at: index).bytes.count
    }

    private func dropOldestAssembly(_ slot: Int) {
        guard let rare = self.sessions[slot].rare, !rare.assemblies.isEmpty else { return }
        self.bodyBytes -= rare.assemblies.removeFirst().bytes.count
    }

    // MARK: Answers

    /// A later block of an answer that is kept; nil when none is.
    private func servedBlock(
        _ block: BlockOption,
        _ key: RequestKey,
        _ payload: [UInt8],
        _ slot: Int
    ) -> CoAPResponse? {
        guard let rare = self.sessions[slot].rare,
            let index = rare.served.lastIndex(where: { $0.key == key })
        else { return nil }
        rare.served[index].expires = self.loop.now.advanced(by: CoAPTransport.exchangeLifetime)
        let response = rare.served[index].response
        return ServedBody.block(number: block.number, exponent: block.exponent, of: response)
            ?? CoAPResponse(.badRequest)
    }

    /// What of an answer fits into one message; the rest is kept for the requests that follow.
    func part(of response: CoAPResponse, for exchange: Exchange, _ slot: Int) -> CoAPResponse {
        var part = self.firstPart(of: response, key: exchange.key, wanted: exchange.wanted, slot)
        if let block = exchange.lastBlock {
            BlockOption(number: block.number, hasMore: false, exponent: block.exponent)
                .write(.block1, to: &part.options)
        }
        return part
    }

    func firstPart(
        of response: CoAPResponse,
        key: RequestKey?,
        wanted: BlockOption?,
        _ slot: Int
    ) -> CoAPResponse {
        guard let pointer = self.sessions[slot].pointer else { return response }
        let room = coap_session_max_pdu_size(pointer) - 32 - response.options.sizeLimit
        guard var exponent = BlockOption.exponent(fitting: room) else { return CoAPResponse(.internalServerError) }
        if let wanted { exponent = min(exponent, wanted.exponent) }
        if wanted == nil, response.payload.count <= min(room, 1_024) { return response }
        if let wanted, wanted.number == 0, response.payload.count <= 16 << exponent { return response }
        guard response.payload.count <= self.configuration.maximumBodySize else {
            return CoAPResponse(.internalServerError)
        }
        let tagged = ServedBody.tagged(response)
        if let key, wanted?.number ?? 0 == 0 { self.keep(tagged, key: key, slot) }
        let offset = wanted?.offset ?? 0
        return ServedBody.block(number: offset >> (exponent + 4), exponent: exponent, of: tagged)
            ?? CoAPResponse(.badRequest)
    }

    private func keep(_ response: CoAPResponse, key: RequestKey, _ slot: Int) {
        let rare = self.rareState(slot)
        if let index = rare.served.firstIndex(where: { $0.key == key }) {
            self.bodyBytes -= rare.served.remove(at: index).response.payload.count
        } else if rare.served.count >= RareState.servedLimit {
            self.bodyBytes -= rare.served.removeFirst().response.payload.count
        }
        guard self.bodyBytes + response.payload.count <= self.bodyLimit else { return }
        self.bodyBytes += response.payload.count
        let expires = self.loop.now.advanced(by: CoAPTransport.exchangeLifetime)
        rare.served.append(ServedBody(key: key, response: response, expires: expires))
        self.scheduleSweep()
    }

    // MARK: Forgetting

    func forgetBodies(_ slot: Int) {
        guard let rare = self.sessions[slot].rare else { return }
        for assembly in rare.assemblies { self.bodyBytes -= assembly.bytes.count }
        for body in rare.served { self.bodyBytes -= body.response.payload.count }
        rare.assemblies = []
        rare.served = []
    }

    func dropExpiredBodies(_ now: MonotonicTime) {
        for record in self.sessions {
            guard let rare = record.rare else { continue }
            for index in rare.assemblies.indices.reversed() where rare.assemblies[index].expires <= now {
                self.bodyBytes -= rare.assemblies.remove(at: index).bytes.count
            }
            for index in rare.served.indices.reversed() where rare.served[index].expires <= now {
                self.bodyBytes -= rare.served.remove(at: index).response.payload.count
            }
        }
    }
}
