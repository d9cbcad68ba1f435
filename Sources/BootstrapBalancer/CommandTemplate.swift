public import Primitives
public import ServiceSupport

/// A command with `{name}` and `{address}` in it, as words; no shell reads it.
public struct CommandTemplate: Hashable, Sendable {
    private let words: [String]

    /// Reads a command: words between spaces; quotes of either kind keep spaces in a word.
    ///
    /// - Throws: what is wrong, for people.
    public init(parsing text: String) throws(ServiceError) {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { word?.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character == " " || character == "\t" || character == "\n" {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil else {
            throw ServiceError("the command has a quote that does not end", hint: "close it, or leave it out")
        }
        if let word { words.append(word) }
        guard let first = words.first, !first.isEmpty else {
            throw ServiceError("the command is empty", hint: "'starling bootstrap --name {name} --address {address} …'")
        }
        for (index, word) in words.enumerated() { try Self.check(word, at: index) }
        self.words = words
    }

    /// The words for an instance.
    public func words(name: UTF8Text, address: IPAddress) -> [String] {
        self.words.map { word in
            word.replacing("{name}", with: name.string).replacing("{address}", with: address.written)
        }
    }

    // A command may hold keys: errors say where, not what.
    private static func check(_ word: String, at index: Int) throws(ServiceError) {
        let rest = word.replacing("{name}", with: "").replacing("{address}", with: "")
        guard !rest.contains("{"), !rest.contains("}") else {
            throw ServiceError(
                "word \(index + 1) of the command has a placeholder that is not known",
                hint: "there are {name} and {address}"
            )
        }
    }
}
