internal import BalancerEngine
internal import Primitives

/// Lists, epochs and batches as bytes of one column: pieces behind their lengths.
enum BalancerBytes {
    // MARK: Pieces

    static func join(_ pieces: [[UInt8]]) -> [UInt8] {
        var writer = ByteWriter()
        for piece in pieces { self.write(piece, to: &writer) }
        return writer.bytes
    }

    /// The pieces of a list; nil when the bytes are none.
    static func split(_ bytes: [UInt8]) -> [[UInt8]]? {
        var reader = ByteReader(bytes)
        var pieces: [[UInt8]] = []
        while reader.remaining > 0 {
            guard let piece = self.piece(&reader) else { return nil }
            pieces.append(piece)
        }
        return pieces
    }

    static func join(_ numbers: [UInt64]) -> [UInt8] {
        var writer = ByteWriter()
        for number in numbers { writer.write(number, byteCount: 8) }
        return writer.bytes
    }

    static func numbers(_ bytes: [UInt8]) -> [UInt64] {
        var reader = ByteReader(bytes)
        var numbers: [UInt64] = []
        while let number = try? reader.readUnsigned(byteCount: 8) { numbers.append(number) }
        return numbers
    }

    // MARK: Epochs and batches

    static func encode(_ epoch: RegistryEpoch) -> [UInt8] {
        var writer = ByteWriter()
        self.write(epoch, to: &writer)
        return writer.bytes
    }

    static func epoch(_ bytes: [UInt8]) -> RegistryEpoch? {
        var reader = ByteReader(bytes)
        return self.epoch(&reader)
    }

    static func encode(_ update: NameUpdate) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(UInt64(update.timeToLive), byteCount: 4)
        self.write(update.epoch, to: &writer)
        writer.write(update.expected == nil ? 0 : 1, byteCount: 1)
        if let expected = update.expected { self.write(expected, to: &writer) }
        writer.write(UInt64(update.removed.count), byteCount: 4)
        for name in update.removed { self.write(name.bytes, to: &writer) }
        for record in update.assigned {
            self.write(record.name.bytes, to: &writer)
            self.write(record.address.bytes, to: &writer)
        }
        return writer.bytes
    }

    /// The batch in the bytes; nil when they are none.
    static func update(_ bytes: [UInt8]) -> NameUpdate? {
        var reader = ByteReader(bytes)
        guard let timeToLive = try? reader.readUnsigned(byteCount: 4), let epoch = self.epoch(&reader),
            let hasExpected = try? reader.readUnsigned(byteCount: 1)
        else { return nil }
        var expected: RegistryEpoch?
        if hasExpected == 1 {
            guard let found = self.epoch(&reader) else { return nil }
            expected = found
        }
        guard let count = try? reader.readUnsigned(byteCount: 4) else { return nil }
        var removed: [UTF8Text] = []
        for _ in 0..<count {
            guard let name = self.text(&reader) else { return nil }
            removed.append(name)
        }
        var assigned: [NameRecord] = []
        while reader.remaining > 0 {
            guard let name = self.text(&reader), let address = self.piece(&reader).flatMap(IPAddress.init) else {
                return nil
            }
            assigned.append(NameRecord(name: name, address: address))
        }
        return NameUpdate(
            expected: expected,
            epoch: epoch,
            assigned: assigned,
            removed: removed,
            timeToLive: UInt32(timeToLive)
        )
    }

    // MARK: Parts

    private static func write(_ piece: [UInt8], to writer: inout ByteWriter) {
        writer.write(UInt64(piece.count), byteCount: 2)
        writer.write(piece)
    }

    private static func piece(_ reader: inout ByteReader) -> [UInt8]? {
        guard let count = try? reader.readUnsigned(byteCount: 2) else { return nil }
        return try? Array(reader.readBytes(Int(count)))
    }

    private static func text(_ reader: inout ByteReader) -> UTF8Text? {
        self.piece(&reader).flatMap { UTF8Text(validating: $0) }
    }

    private static func write(_ epoch: RegistryEpoch, to writer: inout ByteWriter) {
        self.write(epoch.writer.bytes, to: &writer)
        writer.write(epoch.number, byteCount: 8)
    }

    private static func epoch(_ reader: inout ByteReader) -> RegistryEpoch? {
        guard let writer = self.text(&reader), let number = try? reader.readUnsigned(byteCount: 8) else { return nil }
        return RegistryEpoch(writer: writer, number: number)
    }
}
