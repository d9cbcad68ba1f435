internal import Primitives

/// A whole CoAP message as it stands in a datagram.
///
/// The transport leaves framing to its C library; this is for peers in tests, for fuzzers and for captures.
///
/// - Source: RFC 7252, section 3.
public struct CoAPMessage: Hashable, Sendable {
    /// What a message asks of the layer that repeats and acknowledges; the numbers are those on the wire.
    public enum Kind: UInt8, Hashable, Sendable {
        case confirmable = 0
        case nonConfirmable = 1
        case acknowledgement = 2
        case reset = 3
    }

    /// Why bytes are not a message; offsets count bytes from the start.
    public enum DecodingError: Error, Hashable, Sendable {
        /// The datagram ended inside a field.
        case truncated(at: Int)
        /// The version is not 1; such a message is ignored without an answer.
        case unsupportedVersion(UInt8)
        /// The length of the token is 9 to 15.
        case reservedTokenLength(UInt8)
        /// The delta or length of an option is 15 without being the payload marker.
        case reservedOption(at: Int)
        /// The number of an option is above 65535.
        case optionNumberTooLarge(at: Int)
        /// The payload marker stands there and no payload behind it.
        case missingPayload
        /// The code is 0.00 and something follows the message id.
        case emptyMessageWithContent
    }

    /// Why a message cannot be written.
    public enum EncodingError: Error, Hashable, Sendable {
        /// An option has more bytes than 65,804.
        case optionTooLong(CoAPOptionNumber)
    }

    /// Confirmable or not, acknowledgement or reset.
    public var kind: Kind
    /// What acknowledgements and resets repeat.
    public var id: UInt16
    /// What ties an answer to a request.
    public var token: CoAPToken
    /// The method or the answer's code; 0.00 for an empty message.
    public var code: CoAPCode
    /// The options, in the order of their numbers.
    public var options: CoAPOptions
    /// The body; empty when there is none.
    public var payload: [UInt8]

    /// Creates a message from its parts.
    public init(
        _ kind: Kind,
        _ code: CoAPCode,
        id: UInt16,
        token: CoAPToken = .empty,
        options: CoAPOptions = CoAPOptions(),
        payload: [UInt8] = []
    ) {
        self.kind = kind
        self.id = id
        self.token = token
        self.code = code
        self.options = options
        self.payload = payload
    }
}

extension CoAPMessage {
    private static let payloadMarker: UInt8 = 0xFF

    /// Reads a datagram.
    ///
    /// - Parameter bytes: any bytes; at most some 64 times their number is allocated.
    public init(decoding bytes: [UInt8]) throws(DecodingError) {
        var reader = ByteReader(bytes)
        let first = UInt8(truncatingIfNeeded: try Self.readUnsigned(&reader, byteCount: 1))
        guard first >> 6 == 1 else { throw .unsupportedVersion(first >> 6) }
        let code = CoAPCode(rawValue: UInt8(truncatingIfNeeded: try Self.readUnsigned(&reader, byteCount: 1)))
        let id = UInt16(truncatingIfNeeded: try Self.readUnsigned(&reader, byteCount: 2))
        guard let token = CoAPToken(try Self.readToken(&reader, length: first & 0x0F)) else {
            throw .reservedTokenLength(first & 0x0F)
        }
        // Two bits have four values, so there is always a kind.
        self.init(Kind(rawValue: first >> 4 & 0x03) ?? .reset, code, id: id, token: token)
        guard code != .empty || (reader.isAtEnd && token.count == 0) else { throw .emptyMessageWithContent }

        var number = 0
        while !reader.isAtEnd {
            let offset = reader.offset
            let head = UInt8(truncatingIfNeeded: try Self.readUnsigned(&reader, byteCount: 1))
            if head == Self.payloadMarker {
                guard !reader.isAtEnd else { throw .missingPayload }
                self.payload = try Self.readBytes(&reader, reader.remaining)
                return
            }
            number += try Self.readExtended(&reader, head >> 4, at: offset)
            guard let known = UInt16(exactly: number) else { throw .optionNumberTooLarge(at: offset) }
            let length = try Self.readExtended(&reader, head & 0x0F, at: offset)
            self.options.append(CoAPOptionNumber(rawValue: known), try Self.readBytes(&reader, length))
        }
    }

    /// Writes the message as a datagram.
    public func encoded() throws(EncodingError) -> [UInt8] {
        var writer = ByteWriter(capacity: 16 + self.payload.count)
        writer.write(1 << 6 | self.kind.rawValue << 4 | UInt8(truncatingIfNeeded: self.token.count))
        writer.write(self.code.rawValue)
        writer.write(UInt64(self.id), byteCount: 2)
        writer.write(self.token.bytes)
        var before: UInt16 = 0
        for option in self.options.all {
            guard option.value.count <= 65_535 + 269 else { throw .optionTooLong(option.number) }
            let delta = Extended(Int(option.number.rawValue - before))
            let length = Extended(option.value.count)
            before = option.number.rawValue
            writer.write(delta.nibble << 4 | length.nibble)
            writer.write(UInt64(delta.rest), byteCount: delta.byteCount)
            writer.write(UInt64(length.rest), byteCount: length.byteCount)
            writer.write(option.value)
        }
        if !self.payload.isEmpty {
            writer.write(Self.payloadMarker)
            writer.write(self.payload)
        }
        return writer.bytes
    }

    /// A delta or length: four bits, and 0 to 2 more bytes.
    private struct Extended {
        let nibble: UInt8
        let rest: Int
        let byteCount: Int

        init(_ value: Int) {
            (self.nibble, self.rest, self.byteCount) =
                switch value {
                case ..<13: (UInt8(truncatingIfNeeded: value), 0, 0)
                case ..<269: (13, value - 13, 1)
                default: (14, value - 269, 2)
                }
        }
    }

    private static func readExtended(
        _ reader: inout ByteReader,
        _ nibble: UInt8,
        at offset: Int
    ) throws(DecodingError) -> Int {
        switch nibble {
        case 13: return Int(try self.readUnsigned(&reader, byteCount: 1)) + 13
        case 14: return Int(try self.readUnsigned(&reader, byteCount: 2)) + 269
        case 15: throw .reservedOption(at: offset)
        default: return Int(nibble)
        }
    }

    private static func readToken(_ reader: inout ByteReader, length: UInt8) throws(DecodingError) -> [UInt8] {
        guard length <= 8 else { throw .reservedTokenLength(length) }
        return try self.readBytes(&reader, Int(length))
    }

    private static func readUnsigned(_ reader: inout ByteReader, byteCount: Int) throws(DecodingError) -> UInt64 {
        do throws(ByteReader.Exhausted) {
            return try reader.readUnsigned(byteCount: byteCount)
        } catch {
            throw .truncated(at: error.offset)
        }
    }

    private static func readBytes(_ reader: inout ByteReader, _ count: Int) throws(DecodingError) -> [UInt8] {
        do throws(ByteReader.Exhausted) {
            return try reader.readBytes(count)
        } catch {
            throw .truncated(at: error.offset)
        }
    }
}
