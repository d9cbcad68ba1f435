public import CoAPMessages
internal import LwM2MCodecs

/// What became of a session's command.
///
/// - Source: on the wire the CBOR array `[state, code or null]`.
public enum SessionOutcome: Hashable, Sendable {
    /// It was not executed, and never will be.
    case notDone
    /// It was executed, once; the code is what the plain operation would have been answered with.
    case done(CoAPCode)
    /// The device went down while it executed the command.
    case unknown
    /// It is being executed now.
    case executing

    /// The outcome as it is read from the device.
    public var encoded: [UInt8] {
        var writer = CBORWriter(capacity: 4)
        writer.beginArray(2)
        switch self {
        case .notDone: writer.write(unsigned: 0)
        case .done: writer.write(unsigned: 1)
        case .unknown: writer.write(unsigned: 2)
        case .executing: writer.write(unsigned: 3)
        }
        if case .done(let code) = self { writer.write(unsigned: UInt64(code.rawValue)) } else { writer.writeNull() }
        return writer.bytes
    }

    /// Reads an outcome.
    public init(decoding bytes: [UInt8]) throws(SessionMessageError) {
        var reader = CBORReader(bytes)
        guard try reader.head() == .array(2), case .unsigned(let state) = try reader.head() else { throw .malformed }
        switch (state, try reader.head()) {
        case (0, .simple(22)): self = .notDone
        case (1, .unsigned(let code)):
            guard let code = UInt8(exactly: code) else { throw .malformed }
            self = .done(CoAPCode(rawValue: code))
        case (2, .simple(22)): self = .unknown
        case (3, .simple(22)): self = .executing
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
