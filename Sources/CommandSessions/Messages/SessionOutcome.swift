public import CoAPMessages
internal import LwM2MCodecs

/// What became of a session's command.
public enum SessionOutcome: Hashable, Sendable {
    /// It was not executed, and never will be.
    case notDone
    /// It was executed, once; the code is what the plain operation would have been answered with.
    case done(CoAPCode)
    /// The device went down while it executed the command.
    case unknown
    /// It is being executed now.
    case executing
}

/// The answer to the question for an outcome, with the session that it is about.
///
/// Asking and reading are two operations, and a copy of an older question may come between them: without the session's
/// identifier the outcome of another one would be taken for its own. The identifier is one that is spent by then: the
/// GSID, and in the short form the DSID.
///
/// - Source: on the wire the CBOR array `[identifier, state, code or null]`.
public struct SessionReport: Equatable, Sendable {
    /// The session's GSID; its DSID in the short form.
    public let identifier: SessionIdentifier
    /// What became of its command.
    public let outcome: SessionOutcome

    /// Creates a report about the session with these identifiers.
    public init(_ outcome: SessionOutcome, of pair: SessionPair) {
        self.identifier = pair.gsid ?? pair.dsid
        self.outcome = outcome
    }

    /// Whether the report is about the session with these identifiers.
    public func isAbout(_ pair: SessionPair) -> Bool { self.identifier == pair.gsid ?? pair.dsid }

    /// The report as it is read from the device.
    public var encoded: [UInt8] {
        var writer = CBORWriter(capacity: 40)
        writer.beginArray(3)
        writer.write(self.identifier)
        switch self.outcome {
        case .notDone: writer.write(unsigned: 0)
        case .done: writer.write(unsigned: 1)
        case .unknown: writer.write(unsigned: 2)
        case .executing: writer.write(unsigned: 3)
        }
        if case .done(let code) = self.outcome {
            writer.write(unsigned: UInt64(code.rawValue))
        } else {
            writer.writeNull()
        }
        return writer.bytes
    }

    /// Reads a report.
    public init(decoding bytes: [UInt8]) throws(SessionMessageError) {
        var reader = CBORReader(bytes)
        guard try reader.head() == .array(3), let identifier = try reader.identifier(),
            case .unsigned(let state) = try reader.head()
        else { throw .malformed }
        self.identifier = identifier
        switch (state, try reader.head()) {
        case (0, .simple(22)): self.outcome = .notDone
        case (1, .unsigned(let code)):
            guard let code = UInt8(exactly: code) else { throw .malformed }
            self.outcome = .done(CoAPCode(rawValue: code))
        case (2, .simple(22)): self.outcome = .unknown
        case (3, .simple(22)): self.outcome = .executing
        default: throw .malformed
        }
        guard reader.isAtEnd, self.encoded == bytes else { throw .malformed }
    }
}

extension SessionPair {
    /// The question for the outcome of a session: the CBOR array `[GSID or null, DSID]`.
    public var encoded: [UInt8] {
        var writer = CBORWriter(capacity: 72)
        writer.beginArray(2)
        writer.write(self.gsid)
        writer.write(self.dsid)
        return writer.bytes
    }

    /// Reads the question for an outcome.
    public init(decoding bytes: [UInt8]) throws(SessionMessageError) {
        var reader = CBORReader(bytes)
        guard try reader.head() == .array(2) else { throw .malformed }
        let gsid = try reader.identifier()
        guard let dsid = try reader.identifier(), reader.isAtEnd else { throw .malformed }
        self.init(gsid: gsid, dsid: dsid)
        guard self.encoded == bytes else { throw .malformed }
    }
}
