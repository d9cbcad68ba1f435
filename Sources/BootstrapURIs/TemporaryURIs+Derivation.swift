public import Primitives

extension TemporaryURIs {
    /// Begins the message of every HMAC over parameters; no message of a random variable begins so.
    static let messageLabel = Array("bootstrap-uri/1\0".utf8)
    /// Begins the message that a random variable is made from.
    static let randomVariableLabel = Array("rv".utf8)

    /// Every step to the URI of a device in a window, as values.
    ///
    /// - Throws: ``DerivationError`` like ``uri(secret:endpoint:window:hashes:)``, whose result is the last step.
    public func derivation(
        secret: SecretBytes,
        endpoint: UTF8Text,
        window: TimeWindow,
        hashes: HashFunctions
    ) throws(DerivationError) -> Derivation {
        let uri = try self.uri(secret: secret, endpoint: endpoint, window: window, hashes: hashes)
        let profile = self.profile
        let values = profile.parameters.map { self.bytes(of: $0, secret, endpoint, window, hashes) }
        let message = profile.combination == .hmac ? self.message(secret, endpoint, window, hashes) : nil
        let digest = self.digest(secret, endpoint, window, hashes)
        let derivative = Array(digest.bytes.prefix(profile.suite.byteCount))
        let text = profile.alphabet.text(of: derivative)
        let selected = self.positions.map { text[$0] }
        let part = self.part(secret, endpoint, window, hashes)
        let name = profile.part?.side == .before ? part + selected : selected + part
        return Derivation(
            window: window,
            parameters: zip(profile.parameters, values).map { Derivation.Parameter(parameter: $0, bytes: $1) },
            message: message,
            inputByteCount: self.inputByteCount(secret, values, message),
            derivative: derivative,
            namedInformation: profile.suite.namedInformation(derivative),
            text: UTF8Text(validating: text) ?? "",
            selected: UTF8Text(validating: selected) ?? "",
            part: UTF8Text(validating: part) ?? "",
            name: UTF8Text(validating: name) ?? "",
            uri: uri
        )
    }

    private func inputByteCount(_ secret: SecretBytes, _ values: [[UInt8]], _ message: [UInt8]?) -> Int {
        guard let message else { return values.reduce(secret.count) { $0 + $1.count } }
        return self.profile.suite == .hmacSHA256 ? message.count : SHA256Digest.byteCount
    }

    // MARK: From parameters to what is inserted

    /// What goes into the URI: what stands before the name, the name, what stands behind it.
    func inserted(
        _ secret: SecretBytes,
        _ endpoint: UTF8Text,
        _ window: TimeWindow,
        _ hashes: HashFunctions
    ) -> UTF8Text {
        let digest = self.digest(secret, endpoint, window, hashes)
        let part = self.profile.part == nil ? [] : self.part(secret, endpoint, window, hashes)
        let suite = self.profile.suite
        let count = self.profile.alphabet.characterCount(ofBytes: suite.byteCount)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(self.prefix.count + part.count + self.positions.count + self.suffix.count)
        bytes.append(contentsOf: self.prefix)
        if self.profile.part?.side == .before { bytes.append(contentsOf: part) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { text in
            digest.withBytes { self.profile.alphabet.write(.init(rebasing: $0.prefix(suite.byteCount)), into: text) }
            for position in self.positions { bytes.append(text[position]) }
        }
        if self.profile.part?.side == .after { bytes.append(contentsOf: part) }
        bytes.append(contentsOf: self.suffix)
        return UTF8Text(validating: bytes) ?? ""
    }

    /// The hash of the input, before a suite cuts it.
    private func digest(
        _ secret: SecretBytes,
        _ endpoint: UTF8Text,
        _ window: TimeWindow,
        _ hashes: HashFunctions
    ) -> SHA256Digest {
        let isKeyed = self.profile.suite == .hmacSHA256
        guard self.profile.combination != .hmac else {
            let message = self.message(secret, endpoint, window, hashes)
            let code = hashes.hmacSHA256(of: message, key: secret)
            return isKeyed ? code : code.withBytes { hashes.sha256($0) }
        }
        let input = self.input(secret, endpoint, window, hashes)
        return input.withBytes { isKeyed ? hashes.hmacSHA256(secret, $0) : hashes.sha256($0) }
    }

    /// What an HMAC is taken over: a label, then each parameter as its own label, its length in two bytes, its bytes.
    private func message(
        _ secret: SecretBytes,
        _ endpoint: UTF8Text,
        _ window: TimeWindow,
        _ hashes: HashFunctions
    ) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(Self.messageLabel.count + endpoint.bytes.count + 80)
        message.append(contentsOf: Self.messageLabel)
        for parameter in self.profile.parameters {
            message.append(parameter.label)
            let mark = message.count
            message.append(0)
            message.append(0)
            self.write(parameter, secret, endpoint, window, hashes, into: &message)
            let length = message.count - mark - 2
            message[mark] = UInt8(truncatingIfNeeded: length >> 8)
            message[mark + 1] = UInt8(truncatingIfNeeded: length)
        }
        return message
    }

    /// Secret and parameters side by side, as concatenation and insertion have them.
    private func input(
        _ secret: SecretBytes,
        _ endpoint: UTF8Text,
        _ window: TimeWindow,
        _ hashes: HashFunctions
    ) -> SecretBytes {
        var parameters: [UInt8] = []
        // Where the secret stands in the parameters; when they stand in the secret, where they do.
        var place = 0
        for (index, parameter) in self.profile.parameters.enumerated() {
            self.write(parameter, secret, endpoint, window, hashes, into: &parameters)
            if case .concatenation(index + 1) = self.profile.combination { place = parameters.count }
        }
        if case .secretIntoParameters(let offset) = self.profile.combination { place = min(offset, parameters.count) }
        let total = secret.count + parameters.count
        if case .parametersIntoSecret(let offset) = self.profile.combination {
            let place = min(offset, secret.count)
            return secret.withBytes { secret in
                SecretBytes(count: total) { Self.insert(parameters[...], into: secret[...], at: place, writing: $0) }
            }
        }
        return secret.withBytes { secret in
            SecretBytes(count: total) { Self.insert(secret[...], into: parameters[...], at: place, writing: $0) }
        }
    }

    /// Writes one run of bytes with another inserted into it.
    private static func insert(
        _ inner: some Collection<UInt8>,
        into outer: some RandomAccessCollection<UInt8>,
        at place: Int,
        writing buffer: UnsafeMutableBufferPointer<UInt8>
    ) {
        var index = 0
        func write(_ byte: UInt8) {
            buffer[index] = byte
            index += 1
        }
        for byte in outer.prefix(place) { write(byte) }
        for byte in inner { write(byte) }
        for byte in outer.dropFirst(place) { write(byte) }
    }

    // MARK: Parameters

    private func bytes(
        of parameter: DerivationParameter,
        _ secret: SecretBytes,
        _ endpoint: UTF8Text,
        _ window: TimeWindow,
        _ hashes: HashFunctions
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        self.write(parameter, secret, endpoint, window, hashes, into: &bytes)
        return bytes
    }

    private func write(
        _ parameter: DerivationParameter,
        _ secret: SecretBytes,
        _ endpoint: UTF8Text,
        _ window: TimeWindow,
        _ hashes: HashFunctions,
        into bytes: inout [UInt8]
    ) {
        switch parameter {
        case .endpoint: bytes.append(contentsOf: endpoint.bytes)
        case .time: self.profile.timeForm.write(window, into: &bytes)
        case .randomVariable: bytes.append(contentsOf: self.randomVariable(secret, hashes))
        }
    }

    /// HMAC-SHA-256 of `"rv"` and the counter in eight bytes, most significant first.
    private func randomVariable(_ secret: SecretBytes, _ hashes: HashFunctions) -> [UInt8] {
        var message = ByteWriter(capacity: 10)
        message.write(Self.randomVariableLabel)
        message.write(self.profile.counter ?? 0, byteCount: 8)
        return hashes.hmacSHA256(of: message.bytes, key: secret).bytes
    }

    /// The characters of the part that stands beside the name; none when the profile has no part.
    private func part(
        _ secret: SecretBytes,
        _ endpoint: UTF8Text,
        _ window: TimeWindow,
        _ hashes: HashFunctions
    ) -> [UInt8] {
        guard let part = self.profile.part else { return [] }
        switch part.parameter {
        case .endpoint: return part.characters(of: endpoint.bytes)
        case .time: return part.characters(of: TimeStampForm.decimal.bytes(of: window))
        case .randomVariable:
            return part.characters(of: NameAlphabet.hex.text(of: self.randomVariable(secret, hashes)))
        }
    }
}
