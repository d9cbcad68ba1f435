public import CoAPMessages
internal import LwM2MCodecs
public import LwM2MModel
import Primitives

/// What a gateway wants a device to do: an LwM2M operation of its own.
///
/// Two commands are equal when their encoded bytes are: the encoding is deterministic.
public struct SessionCommand: Hashable, Sendable {
    /// The operations that can be commands; the numbers are those on the wire.
    public enum Operation: UInt8, Sendable, CaseIterable {
        /// Write in place of what is there: PUT.
        case write = 1
        /// Execute a resource.
        case execute = 2
        /// Create an instance of an object.
        case create = 3
        /// Delete an instance.
        case delete = 4
        /// Write and keep what is not written: POST.
        case update = 5
    }

    /// The most bytes of a payload: those of one value and its frame.
    public static let maximumPayload = 65_536 + 64

    /// What to do.
    public let operation: Operation
    /// Where; at least an object.
    public let path: ObjectPath
    /// The format of the payload; nil when there is none.
    public let contentFormat: ContentFormat?
    /// The values in that format, or the arguments of Execute; may be empty.
    public let payload: [UInt8]

    /// Creates a command.
    ///
    /// - Returns: nil without a path, or with a payload above ``maximumPayload``.
    public init?(
        _ operation: Operation,
        _ path: ObjectPath,
        contentFormat: ContentFormat? = nil,
        payload: [UInt8] = []
    ) {
        guard path.depth > 0, payload.count <= Self.maximumPayload else { return nil }
        self.operation = operation
        self.path = path
        self.contentFormat = contentFormat
        self.payload = payload
    }

    /// The command as bytes, for a store; on the wire it is a part of a message.
    public var encoded: [UInt8] {
        var writer = CBORWriter(capacity: 64 + self.payload.count)
        self.encode(into: &writer)
        return writer.bytes
    }

    /// Reads a command from its bytes.
    public init(decoding bytes: [UInt8]) throws(SessionMessageError) {
        var reader = CBORReader(bytes)
        try self.init(from: &reader)
        guard reader.isAtEnd, self.encoded == bytes else { throw .malformed }
    }

    func encode(into writer: inout CBORWriter) {
        writer.beginArray(4)
        writer.write(unsigned: UInt64(self.operation.rawValue))
        writer.write(text: Array(self.path.text.utf8))
        if let format = self.contentFormat {
            writer.write(unsigned: UInt64(format.rawValue))
        } else {
            writer.writeNull()
        }
        writer.write(bytes: self.payload)
    }

    init(from reader: inout CBORReader) throws(SessionMessageError) {
        guard try reader.head() == .array(4), case .unsigned(let number) = try reader.head(),
            let operation = UInt8(exactly: number).flatMap(Operation.init), case .text(let length?) = try reader.head()
        else { throw .malformed }
        let text = try reader.content(length)
        guard let path = try? ObjectPath(parsing: text) else { throw .malformed }
        var format: ContentFormat?
        switch try reader.head() {
        case .unsigned(let number):
            guard let number = UInt16(exactly: number) else { throw .malformed }
            format = ContentFormat(rawValue: number)
        case .simple(22): break
        default: throw .malformed
        }
        guard case .bytes(let count?) = try reader.head(), count <= Self.maximumPayload,
            let command = SessionCommand(
                operation,
                path,
                contentFormat: format,
                payload: try reader.content(count)
            )
        else { throw .malformed }
        self = command
    }
}

/// A body that is no message of a session.
public enum SessionMessageError: Error, Hashable, Sendable {
    /// It is not the CBOR that the message's description asks for, in its deterministic form.
    case malformed
}

extension CBORReader {
    mutating func head() throws(SessionMessageError) -> Head {
        do { return try self.readHead() } catch { throw .malformed }
    }

    mutating func content(_ count: Int) throws(SessionMessageError) -> [UInt8] {
        do { return try self.readBytes(count) } catch { throw .malformed }
    }

    /// Reads an identifier or null.
    mutating func identifier() throws(SessionMessageError) -> SessionIdentifier? {
        switch try self.head() {
        case .simple(22): return nil
        case .bytes(let count?):
            guard let identifier = SessionIdentifier(bytes: try self.content(count)) else { throw .malformed }
            return identifier
        default: throw .malformed
        }
    }
}

extension CBORWriter {
    mutating func write(_ identifier: SessionIdentifier?) {
        if let identifier { self.write(bytes: identifier.copyBytes()) } else { self.writeNull() }
    }
}
