public import CoAPMessages
public import CommandSessions
import LwM2MModel
public import Primitives

/// The messages of one command session as a test writes them, for a gateway that keeps nothing but the DSID.
public struct HandwrittenSession {
    /// What is to be done.
    public let command: SessionCommand
    /// The gateway's identifier of this session.
    public let gsid: SessionIdentifier
    /// The device's: the last one known, and once message 2 was read the one in it.
    public private(set) var dsid: SessionIdentifier?

    /// Creates a session of both identifiers.
    ///
    /// - Parameters:
    ///   - command: what is to be done.
    ///   - gsid: one that no session had before.
    ///   - dsid: that of the last session whose command was executed; nil before the first one.
    public init(_ command: SessionCommand, gsid: SessionIdentifier, knowing dsid: SessionIdentifier? = nil) {
        self.command = command
        self.gsid = gsid
        self.dsid = dsid
    }

    /// Writes message 1.
    public var writeMessage1: CoAPRequest { self.write(1) }

    /// Reads message 2.
    public var readMessage2: CoAPRequest {
        CoAPRequest(.get, path: Self.path(.message2), accept: .opaque)
    }

    /// Takes message 2 as it was read.
    ///
    /// - Returns: false when it is not that of this session.
    public mutating func takeMessage2(_ payload: [UInt8]) -> Bool {
        guard let message = try? SessionMessage(decoding: payload), message.number == 2, message.gsid == self.gsid,
            message.command == self.command
        else { return false }
        self.dsid = message.dsid
        return true
    }

    /// Writes message 3, once message 2 was taken.
    public var writeMessage3: CoAPRequest { self.write(3) }

    private func write(_ number: UInt8) -> CoAPRequest {
        let message = SessionMessage(number: number, command: self.command, gsid: self.gsid, dsid: self.dsid)
        return CoAPRequest(
            .put,
            path: Self.path(number == 1 ? .message1 : .message3),
            contentFormat: .opaque,
            payload: message.encoded
        )
    }

    /// The path of a resource of the object's first instance.
    public static func path(_ resource: SessionResource) -> [UTF8Text] {
        ObjectPath(OwnObjectIDs.standard.commandSession, 0, resource.rawValue).segments
    }
}
