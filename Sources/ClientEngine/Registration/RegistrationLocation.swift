public import Primitives

/// Where a server keeps a registration: the Location-Path segments of its answer, in one array.
///
/// - Source: LwM2M Core 1.2.2, clause 6.2.1.
public struct RegistrationLocation: Hashable, Sendable {
    // Each segment behind a byte with its length; an option has at most 255 bytes (RFC 7252, section 5.10).
    private let packed: [UInt8]

    /// Creates a location from its segments.
    ///
    /// - Returns: nil without a segment, or when they are longer than 255 bytes together.
    public init?(segments: [UTF8Text]) {
        var packed: [UInt8] = []
        for segment in segments {
            guard segment.bytes.count <= 255, packed.count + segment.bytes.count < 256 else { return nil }
            packed.append(UInt8(segment.bytes.count))
            packed += segment.bytes
        }
        guard !packed.isEmpty else { return nil }
        self.packed = packed
    }

    /// The segments of the path.
    public var segments: [UTF8Text] {
        var segments: [UTF8Text] = []
        var index = 0
        while index < self.packed.count {
            let end = index + 1 + Int(self.packed[index])
            if let segment = UTF8Text(validating: Array(self.packed[(index + 1)..<end])) { segments.append(segment) }
            index = end
        }
        return segments
    }
}
