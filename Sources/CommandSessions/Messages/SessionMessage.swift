internal import LwM2MCodecs

/// One of the three messages of a session: the command and the identifiers that travel with it.
///
///     message 1   gateway ─▶ device   command, new GSID, established DSID   short form: command
///     message 2   gateway ◀─ device   command, GSID, new DSID                short form: command, DSID
///     message 3   gateway ─▶ device   command, GSID, DSID                    short form: command, DSID
///
/// On the wire it is the CBOR array `[number, command, GSID or null, DSID or null]`, a command being the array
/// `[operation, path, content format or null, payload]`, all in the deterministic encoding of RFC 8949, section 4.2.
public struct SessionMessage: Equatable, Sendable {
    /// The most bytes of an encoded message.
    public static let maximumLength = SessionCommand.maximumPayload + 128

    /// 1, 2 or 3.
    public let number: UInt8
    /// What is to be done.
    public let command: SessionCommand
    /// The gateway's identifier; nil in the short form.
    public let gsid: SessionIdentifier?
    /// The device's identifier; in message 1 the established one, nil before the first session.
    public let dsid: SessionIdentifier?

    /// Creates a message.
    public init(number: UInt8, command: SessionCommand, gsid: SessionIdentifier?, dsid: SessionIdentifier?) {
        self.number = number
        self.command = command
        self.gsid = gsid
        self.dsid = dsid
    }

    /// Reads a message.
    ///
    /// - Parameter bytes: of any content; nothing is allocated beyond their own length.
    public init(decoding bytes: [UInt8]) throws(SessionMessageError) {
        guard bytes.count <= Self.maximumLength else { throw .malformed }
        var reader = CBORReader(bytes)
        guard try reader.head() == .array(4), case .unsigned(let number) = try reader.head(), (1...3).contains(number)
        else { throw .malformed }
        self.number = UInt8(number)
        self.command = try SessionCommand(from: &reader)
        self.gsid = try reader.identifier()
        self.dsid = try reader.identifier()
        // Only one encoding of a message is one, so that equal commands are equal bytes.
        guard reader.isAtEnd, self.encoded == bytes else { throw .malformed }
    }

    /// The message as it goes over the wire.
    public var encoded: [UInt8] {
        var writer = CBORWriter(capacity: 128 + self.command.payload.count)
        writer.beginArray(4)
        writer.write(unsigned: UInt64(self.number))
        self.command.encode(into: &writer)
        writer.write(self.gsid)
        writer.write(self.dsid)
        return writer.bytes
    }

    /// The identifiers, once both sides' are there.
    var pair: SessionPair? { self.dsid.map { SessionPair(gsid: self.gsid, dsid: $0) } }

    /// Whether the identifiers that the form asks for are there, and no others.
    func suits(_ form: SessionForm) -> Bool {
        switch form {
        case .bothIdentifiers: self.gsid != nil && (self.dsid != nil || self.number == 1)
        case .deviceIdentifier: self.gsid == nil && (self.dsid != nil) == (self.number != 1)
        }
    }
}
