public import Foundation
internal import Primitives

/// Bytes written as hexadecimal digits; white space between them is for people.
///
/// A text that is not hexadecimal is an error of the test and stops it.
public func hex(_ text: String) -> [UInt8] {
    guard let bytes = Hexadecimal.decode(String(text.filter { !$0.isWhitespace })) else {
        preconditionFailure("not hexadecimal: \(text)")
    }
    return bytes
}

/// Files of the repository that tests read.
public enum Fixtures {
    /// The root of the package.
    public static let root = URL(filePath: #filePath)
        .deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The bytes of a vector below `Fixtures/Vectors`.
    ///
    /// A `.hex` file holds hexadecimal digits, and lines that begin with `#` and say where the vector comes from; any
    /// other file is taken as it is.
    public static func vector(_ path: String) throws -> [UInt8] {
        let data = try Data(contentsOf: self.root.appending(path: "Fixtures/Vectors/\(path)"))
        guard path.hasSuffix(".hex") else { return Array(data) }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
        return hex(lines.filter { !$0.hasPrefix("#") }.joined())
    }
}
