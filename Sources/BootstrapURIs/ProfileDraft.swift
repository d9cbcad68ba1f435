import Primitives

/// A profile in the making: what its fields said so far, starting from the standard.
struct ProfileDraft {
    var parameters: [DerivationParameter] = [.endpoint, .time]
    var combination: ParameterCombination = .hmac
    var suite: HashSuite = .hmacSHA256
    var alphabet: NameAlphabet = .base32
    var selection: CharacterSelection = .first(16)
    var insertion: NameInsertion = .endOfFirstLabel
    var part: ParameterPart?
    var period: Int64 = 3600
    var rounding: TimeRounding = .closest
    var timeForm: TimeStampForm = .decimal
    var clockSkew: Int64 = 60
    var counter: UInt64?
    var fallsBackToStaticURI = false
    var regeneratesEveryPeriod = false
    var allowsShortNames = false
    var isTest = false

    /// The profile, when every dimension is in its range and none contradicts another.
    func validated() throws(ProfileError) -> BootstrapURIProfile {
        try self.validateParameters()
        let count = self.alphabet.characterCount(ofBytes: self.suite.byteCount)
        guard self.selection.positions(outOf: count) != nil else { throw .invalid(.selection) }
        try self.validateInsertion()
        guard BootstrapURIProfile.periods.contains(self.period) else { throw .invalid(.period) }
        guard BootstrapURIProfile.clockSkews.contains(self.clockSkew) else { throw .invalid(.clockSkew) }
        let bits = self.selection.bitCount(suite: self.suite, alphabet: self.alphabet)
        guard bits >= BootstrapURIProfile.leastBits || self.allowsShortNames else { throw .tooFewBits(bits) }
        return BootstrapURIProfile(self)
    }

    private func validateParameters() throws(ProfileError) {
        for (index, parameter) in self.parameters.enumerated() {
            guard !self.parameters[..<index].contains(parameter) else { throw .invalid(.parameters) }
        }
        guard self.parameters.contains(.randomVariable) == (self.counter != nil) else { throw .counterMismatch }
        switch self.combination {
        case .concatenation(let place):
            guard (0...self.parameters.count).contains(place) else { throw .invalid(.combination) }
        case .parametersIntoSecret(let offset), .secretIntoParameters(let offset):
            guard (0...ParameterCombination.largestOffset).contains(offset) else { throw .invalid(.combination) }
        case .hmac: break
        }
    }

    private func validateInsertion() throws(ProfileError) {
        if self.insertion.isInHost, self.alphabet == .base64URL { throw .alphabetNotForHosts }
        switch self.insertion {
        case .offsetInFirstLabel(let offset):
            guard (0...HostRules.largestLabel).contains(offset) else { throw .invalid(.insertion) }
        case .query(let name?):
            guard (1...32).contains(name.bytes.count), name.bytes.allSatisfy(HostRules.isUnreserved) else {
                throw .invalid(.insertion)
            }
        case .endOfFirstLabel, .startOfFirstLabel, .ownLabel, .path, .query(nil): break
        }
        if let part {
            guard (1...ParameterPart.largestCount).contains(part.characterCount) else { throw .invalid(.part) }
            guard self.parameters.contains(part.parameter) else { throw .partOfUnusedParameter }
        }
    }
}
