import Primitives

extension BootstrapURIProfile {
    static let mostEndpointBytes: UInt8 = 32

    /// How many characters a derivative has.
    var textLength: Int { self.alphabet.length(ofBytes: self.suite.byteCount) }

    /// How many bits of the derivative survive the selection.
    public var selectedBits: Int {
        let characters = self.selection.count(of: self.textLength)
        return min(characters * self.alphabet.centibitsPerCharacter / 100, self.suite.byteCount * 8)
    }

    /// Checks what can be checked without a static URI.
    public func validate() throws(ProfileError) {
        var seen: [Parameter] = []
        for parameter in self.parameters {
            guard !seen.contains(parameter) else { throw .invalidParameters }
            seen.append(parameter)
        }
        guard seen.contains(.random) == (self.counter != nil) else { throw .invalidParameters }
        guard !seen.isEmpty else { throw .noParameters }
        guard (1...31_622_400).contains(self.period), self.clockSkew >= 0, self.clockSkew <= self.period / 2 else {
            throw .invalidPeriod
        }
        guard self.selection.isValid(for: self.textLength) else { throw .invalidSelection }
        if let part = self.endpointPart, !(1...Self.mostEndpointBytes).contains(UInt8(part.count)) {
            throw .invalidSelection
        }
        guard self.selectedBits >= 48 || self.allowsShortNames else { throw .tooFewBits(self.selectedBits) }
    }
}

extension BootstrapURIProfile.Selection {
    func isValid(for length: Int) -> Bool {
        switch self {
        case .all: return true
        case .first(let count), .last(let count): return count > 0 && Int(count) <= length
        case .positions(let positions):
            return !positions.isEmpty && positions.count <= length && positions.allSatisfy { Int($0) < length }
        }
    }

    func count(of length: Int) -> Int {
        switch self {
        case .all: length
        case .first(let count), .last(let count): Int(count)
        case .positions(let positions): positions.count
        }
    }

    func characters(of text: [UInt8]) -> [UInt8] {
        switch self {
        case .all: text
        case .first(let count): Array(text.prefix(Int(count)))
        case .last(let count): Array(text.suffix(Int(count)))
        case .positions(let positions): positions.map { text[Int($0)] }
        }
    }
}

extension BootstrapURIProfile.EndpointPart {
    var count: Int {
        switch self {
        case .first(let count), .last(let count): Int(count)
        }
    }

    func bytes(of endpoint: UTF8Text) throws(DerivationError) -> [UInt8] {
        guard endpoint.bytes.count >= self.count else { throw .endpointTooShort }
        switch self {
        case .first(let count): return Array(endpoint.bytes.prefix(Int(count)))
        case .last(let count): return Array(endpoint.bytes.suffix(Int(count)))
        }
    }
}
