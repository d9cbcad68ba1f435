public import CommandSessions
import Foundation
import Primitives
public import ServiceSupport

/// The identifiers that a device was given at manufacture, as lines of a file.
///
/// ```
/// gsid: "00112233445566778899aabbccddeeff"
/// dsid: "ffeeddccbbaa99887766554433221100"
/// ```
///
/// They are written as in the device's own file, with the quotes or without. The short form has no GSID. Empty lines and
/// those that begin with # are passed over. No error shows a line.
public struct IdentifierFile: Sendable {
    private static let largestFile = 4096

    /// The gateway's; nil in the short form.
    public let gsid: SessionIdentifier?
    /// The device's.
    public let dsid: SessionIdentifier

    /// Reads a file.
    ///
    /// - Parameter path: of the file; `-` is standard input.
    public init(contentsOf path: String) throws(ServiceError) {
        let file = path == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: path)
        let name = path == "-" ? "standard input" : "'\(path)'"
        guard let file, let data = Self.read(file) else {
            throw ServiceError("\(name) cannot be read", hint: "check the path and its permissions")
        }
        try self.init(text: String(decoding: data, as: UTF8.self), named: name)
    }

    /// Reads lines.
    ///
    /// - Parameter name: how errors call them.
    public init(text: String, named name: String) throws(ServiceError) {
        let hint =
            "lines 'gsid: ' and 'dsid: ' (the short form has only the latter), each with 32 to 64 hexadecimal digits"
        guard text.utf8.count <= Self.largestFile else {
            throw ServiceError("\(name) has more than \(Self.largestFile) bytes", hint: hint)
        }
        var found: [String: SessionIdentifier] = [:]
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let line = line.trimmingCharacters(in: .whitespaces)
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            guard let (key, identifier) = Self.identifier(line), found.updateValue(identifier, forKey: key) == nil
            else {
                throw ServiceError("line \(index + 1) of \(name) is no identifier, or a second one", hint: hint)
            }
        }
        guard let dsid = found["dsid"] else { throw ServiceError("\(name) has no dsid", hint: hint) }
        self.gsid = found["gsid"]
        self.dsid = dsid
    }

    /// Reads a pipe to its end, and no more of anything than is needed to see that it is too large.
    private static func read(_ file: FileHandle) -> Data? {
        var data = Data()
        while data.count <= self.largestFile {
            guard let more = try? file.read(upToCount: self.largestFile + 1) else { return data.isEmpty ? nil : data }
            if more.isEmpty { break }
            data += more
        }
        return data
    }

    private static func identifier(_ line: String) -> (key: String, SessionIdentifier)? {
        let sides = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        guard sides.count == 2, sides[0] == "gsid" || sides[0] == "dsid" else { return nil }
        var digits = Substring(sides[1])
        if digits.count >= 2, let quote = digits.first, quote == "\"" || quote == "'", digits.last == quote {
            digits = digits.dropFirst().dropLast()
        }
        return SessionIdentifier(text: UTF8Text(String(digits))).map { (sides[0], $0) }
    }
}
