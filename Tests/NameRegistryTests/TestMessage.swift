import Primitives
import Testing

/// Types of records, as a question says them.
enum Kind: UInt16, CaseIterable {
    case a = 1
    case ns = 2
    case soa = 6
    case mx = 15
    case txt = 16
    case aaaa = 28
    case any = 255
    case axfr = 252
    case ixfr = 251
}

/// Builds questions byte by byte.
struct TestQuestion {
    var identifier: UInt16 = 0x5A17
    var flags: UInt16 = 0x0100
    var name: String
    var type: UInt16
    var recordClass: UInt16 = 1
    /// The payload size of an OPT record; nil for none.
    var payloadSize: UInt16?
    var version: UInt8 = 0

    init(_ name: String, _ kind: Kind = .a) {
        self.name = name
        self.type = kind.rawValue
    }

    var bytes: [UInt8] {
        var writer = ByteWriter()
        for value in [self.identifier, self.flags, 1, 0, 0, self.payloadSize == nil ? 0 : 1] {
            writer.write(UInt64(value), byteCount: 2)
        }
        writer.write(TestQuestion.wire(self.name))
        writer.write(UInt64(self.type), byteCount: 2)
        writer.write(UInt64(self.recordClass), byteCount: 2)
        if let payloadSize {
            writer.write([0, 0, 41])
            writer.write(UInt64(payloadSize), byteCount: 2)
            writer.write([0, self.version, 0, 0, 0, 0])
        }
        return writer.bytes
    }

    static func wire(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }
}

/// An answer, read by a decoder that shares nothing with the one under test.
struct TestAnswer {
    struct Record: Equatable {
        var name: String
        var type: UInt16
        var timeToLive: UInt32
        var data: [UInt8]
    }

    let identifier: UInt16
    let flags: UInt16
    let question: [UInt8]
    private(set) var answers: [Record] = []
    private(set) var authorities: [Record] = []
    private(set) var additional: [Record] = []

    /// The response code, with the high bits that stand in an OPT record.
    var code: Int {
        let high = self.additional.first { $0.type == 41 }.map { Int($0.timeToLive >> 24) << 4 } ?? 0
        return high | Int(self.flags & 0x0F)
    }
    var isAuthoritative: Bool { self.flags & 0x0400 != 0 }
    var isTruncated: Bool { self.flags & 0x0200 != 0 }
    var addresses: [[UInt8]] { self.answers.filter { $0.type == 1 || $0.type == 28 }.map(\.data) }

    init(_ message: [UInt8]) throws {
        var reader = ByteReader(message)
        self.identifier = UInt16(try reader.readUnsigned(byteCount: 2))
        self.flags = UInt16(try reader.readUnsigned(byteCount: 2))
        let counts = try (0..<4).map { _ in Int(try reader.readUnsigned(byteCount: 2)) }
        let start = reader.offset
        for _ in 0..<counts[0] {
            _ = try TestAnswer.name(message, &reader)
            _ = try reader.readBytes(4)
        }
        self.question = Array(message[start..<reader.offset])
        for _ in 0..<counts[1] { self.answers.append(try TestAnswer.record(message, &reader)) }
        for _ in 0..<counts[2] { self.authorities.append(try TestAnswer.record(message, &reader)) }
        for _ in 0..<counts[3] { self.additional.append(try TestAnswer.record(message, &reader)) }
        try #require(reader.isAtEnd, "bytes behind the last record")
    }

    private static func record(_ message: [UInt8], _ reader: inout ByteReader) throws -> Record {
        let name = try self.name(message, &reader)
        let type = UInt16(try reader.readUnsigned(byteCount: 2))
        _ = try reader.readBytes(2)
        let timeToLive = UInt32(try reader.readUnsigned(byteCount: 4))
        let length = Int(try reader.readUnsigned(byteCount: 2))
        return Record(name: name, type: type, timeToLive: timeToLive, data: try reader.readBytes(length))
    }

    /// Reads a name and follows its pointers, which may only lead back.
    static func name(_ message: [UInt8], _ reader: inout ByteReader) throws -> String {
        var labels: [String] = []
        while true {
            let length = try reader.readByte()
            if length == 0 { return labels.joined(separator: ".") }
            if length >= 0xC0 {
                let target = Int(length & 0x3F) << 8 | Int(try reader.readByte())
                try #require(target < reader.offset - 2)
                var rest = ByteReader(message, range: target..<reader.offset - 2)
                let tail = try self.name(message, &rest)
                return (labels + [tail]).joined(separator: ".")
            }
            labels.append(String(decoding: try reader.readBytes(Int(length)), as: UTF8.self))
        }
    }
}
