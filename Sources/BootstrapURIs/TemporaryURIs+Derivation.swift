public import Primitives

extension TemporaryURIs {
    /// Begins the message of every HMAC over parameters; no message of a random variable begins so.
    ///
    /// It is short, so that with an endpoint name of up to 31 bytes the message fits one block of the hash.
    static let messageLabel = Array("bs-uri/1".utf8)
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
        let message =
            profile.combination == .hmac
            ? self.withParameters(secret, endpoint, window, hashes, isFramed: true) { bytes, _ in Array(bytes) } : nil
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
        let side = self.profile.part?.side
        let part = side == nil ? [] : self.part(secret, endpoint, window, hashes)
        let count = self.prefix.count + part.count + self.positions.count + self.suffix.count
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
            var sink = ByteSink(buffer)
            sink.append(self.prefix)
            if side == .before { sink.append(part) }
            self.select(from: digest, into: &sink)
            if side == .after { sink.append(part) }
            sink.append(self.suffix)
            written = sink.count
        }
        return UTF8Text(validating: bytes) ?? ""
    }

    private func select(from digest: SHA256Digest, into sink: inout ByteSink) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: self.characterCount) { text in
            digest.withBytes { bytes in
                let derivative = UnsafeBufferPointer(rebasing: bytes.prefix(self.profile.suite.byteCount))
                self.profile.alphabet.write(derivative, into: text)
            }
            for position in self.positions { sink.append(text[position]) }
        }
    }

    /// The hash of the input, before a suite cuts it.
    private func digest(
        _ secret: SecretBytes,
        _ endpoint: UTF8Text,
        _ window: TimeWindow,
        _ hashes: HashFunctions
    ) -> SHA256Digest {
        let isKeyed = self.profile.suite == .hmacSHA256
        guard self.profile.combination == .hmac else {
            let input = self.input(secret, endpoint, window, hashes)
            return input.withBytes { isKeyed ? hashes.hmacSHA256(secret, $0) : hashes.sha256($0) }
        }
        let code = self.withParameters(secret, endpoint, window, hashes, isFramed: true) { message, _ in
            hashes.hmacSHA256(secret, message)
        }
        return isKeyed ? code : code.withBytes { hashes.sha256($0) }
    }

    /// Secret and parameters side by side, as concatenation and insertion have them.
    private func input(
        _ secret: SecretBytes,
        _ endpoint: UTF8Text,
        _ window: TimeWindow,
        _ hashes: HashFunctions
    ) -> SecretBytes {
        self.withParameters(secret, endpoint, window, hashes, isFramed: false) { parameters, secretPlace in
            secret.withBytes { secret in
                switch self.profile.combination {
                case .parametersIntoSecret(let offset): Self.insert(parameters, into: secret, at: offset)
                case .secretIntoParameters(let offset): Self.insert(secret, into: parameters, at: offset)
                case .concatenation, .hmac: Self.insert(secret, into: parameters, at: secretPlace)
                }
            }
        }
    }

    private static func insert(
        _ inner: UnsafeBufferPointer<UInt8>,
        into outer: UnsafeBufferPointer<UInt8>,
        at offset: Int
    ) -> SecretBytes {
        let place = min(offset, outer.count)
        return SecretBytes(count: inner.count + outer.count) { buffer in
            var sink = ByteSink(buffer)
            sink.append(UnsafeBufferPointer(rebasing: outer[..<place]))
            sink.append(inner)
            sink.append(UnsafeBufferPointer(rebasing: outer[place...]))
        }
    }

    // MARK: Parameters

    /// Lends the parameters in their order to a closure, and where among them a concatenation has the secret.
    ///
    /// - Parameter isFramed: whether they are the message of an HMAC: a label, then each parameter as its own label, its
    ///   length in two bytes, its bytes. Without, they stand side by side.
    private func withParameters<Result>(
        _ secret: SecretBytes,
        _ endpoint: UTF8Text,
        _ window: TimeWindow,
        _ hashes: HashFunctions,
        isFramed: Bool,
        _ body: (UnsafeBufferPointer<UInt8>, _ secretPlace: Int) -> Result
    ) -> Result {
        var secretIndex = 0
        if case .concatenation(let index) = self.profile.combination { secretIndex = index }
        let frames = Self.messageLabel.count + 3 * DerivationParameter.allCases.count
        let capacity = frames + endpoint.bytes.count + TimeStampForm.largestCount + SHA256Digest.byteCount
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { buffer in
            var sink = ByteSink(buffer)
            var secretPlace = 0
            if isFramed { sink.append(Self.messageLabel) }
            for (index, parameter) in self.profile.parameters.enumerated() {
                if isFramed {
                    sink.append(parameter.label)
                    let mark = sink.count
                    sink.append(0)
                    sink.append(0)
                    self.write(parameter, secret, endpoint, window, hashes, into: &sink)
                    sink.overwrite(at: mark, length: sink.count - mark - 2)
                } else {
                    self.write(parameter, secret, endpoint, window, hashes, into: &sink)
                }
                if index + 1 == secretIndex { secretPlace = sink.count }
            }
            return body(sink.written, secretPlace)
        }
    }

    private func bytes(
        of parameter: DerivationParameter,
        _ secret: SecretBytes,
        _ endpoint: UTF8Text,
        _ window: TimeWindow,
        _ hashes: HashFunctions
    ) -> [UInt8] {
        let capacity = max(endpoint.bytes.count, SHA256Digest.byteCount)
        return [UInt8](unsafeUninitializedCapacity: capacity) { buffer, written in
            var sink = ByteSink(buffer)
            self.write(parameter, secret, endpoint, window, hashes, into: &sink)
            written = sink.count
        }
    }

    private func write(
        _ parameter: DerivationParameter,
        _ secret: SecretBytes,
        _ endpoint: UTF8Text,
        _ window: TimeWindow,
        _ hashes: HashFunctions,
        into sink: inout ByteSink
    ) {
        switch parameter {
        case .endpoint: sink.append(endpoint.bytes)
        case .time: self.profile.timeForm.write(window, into: &sink)
        case .randomVariable: sink.append(self.randomVariable(secret, hashes))
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
        case .time:
            var digits: [UInt8] = []
            DecimalNumber.write(signed: window.stamp, into: &digits)
            return part.characters(of: digits)
        case .randomVariable:
            return part.characters(of: NameAlphabet.hex.text(of: self.randomVariable(secret, hashes)))
        }
    }
}
