import Testing

/// Real programs against one another; one at a time, because some of them load the whole machine.
@Suite("Interop", .serialized)
struct Interop {}

/// What an independent peer and a device of ours share.
enum SharedKey {
    /// The key as programs with text options take it.
    static let text = "an-interop-key16"

    /// The same key as `starling` takes it.
    static let hexadecimal = text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
