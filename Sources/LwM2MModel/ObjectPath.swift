public import Primitives

/// The address of an object, instance, resource or resource instance; without any level, the root.
///
/// Held in 8 bytes. Identifiers run from 0 to 65534; 65535 is reserved by OMA and stands for "absent" inside.
///
/// - Source: LwM2M Core 1.2.2, clause 7.3.
public struct ObjectPath: Hashable, Comparable, Sendable {
    /// Why a text or list of segments is not a path.
    public enum ParseError: Error, Hashable, Sendable {
        /// The text does not begin with a slash.
        case notAbsolute
        /// The level, counted from 0, is not a number from 0 to 65534 without leading zeros.
        case invalidLevel(Int)
        /// There are more than four levels; how many.
        case tooManyLevels(Int)
    }

    private static let absent: UInt16 = 65_535
    private let levels: (UInt16, UInt16, UInt16, UInt16)

    private init(_ first: UInt16, _ second: UInt16, _ third: UInt16, _ fourth: UInt16) {
        self.levels = (first, second, third, fourth)
    }

    /// The path without any level.
    public static let root = ObjectPath(absent, absent, absent, absent)

    /// Creates the path of an object.
    public init(_ object: UInt16) {
        self.init(object, Self.absent, Self.absent, Self.absent)
    }

    /// Creates the path of an object instance.
    public init(_ object: UInt16, _ instance: UInt16) {
        self.init(object, instance, Self.absent, Self.absent)
    }

    /// Creates the path of a resource.
    public init(_ object: UInt16, _ instance: UInt16, _ resource: UInt16) {
        self.init(object, instance, resource, Self.absent)
    }

    /// Creates the path of a resource instance.
    public init(resourceInstance object: UInt16, _ instance: UInt16, _ resource: UInt16, _ resourceInstance: UInt16) {
        self.init(object, instance, resource, resourceInstance)
    }

    /// Reads `/3/0/1` and the like; `/` is the root.
    public init(parsing text: UTF8Text) throws(ParseError) {
        try self.init(parsing: text.bytes)
    }

    /// Reads the bytes of `/3/0/1` and the like; `/` is the root.
    public init(parsing text: [UInt8]) throws(ParseError) {
        guard text.first == Ascii.slash else { throw .notAbsolute }
        var path = ObjectPath.root
        guard text.count > 1 else {
            self = path
            return
        }
        var slashes = 0
        for byte in text where byte == Ascii.slash { slashes += 1 }
        guard slashes <= 4 else { throw .tooManyLevels(slashes) }
        var start = 1
        for index in 0..<slashes {
            var end = start
            while end < text.count, text[end] != Ascii.slash { end += 1 }
            guard let level = Self.parseLevel(text[start..<end]) else { throw .invalidLevel(index) }
            path = path.appending(level)
            start = end + 1
        }
        self = path
    }

    /// Reads the segments of a Uri-Path.
    public init(segments: [UTF8Text]) throws(ParseError) {
        guard segments.count <= 4 else { throw .tooManyLevels(segments.count) }
        var path = ObjectPath.root
        for (index, segment) in segments.enumerated() {
            guard let level = Self.parseLevel(segment.bytes[...]) else { throw .invalidLevel(index) }
            path = path.appending(level)
        }
        self = path
    }

    private static func parseLevel(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard !digits.isEmpty, digits.count <= 5, digits.count == 1 || digits.first != Ascii.zero else { return nil }
        var value = 0
        for digit in digits {
            guard Ascii.isDigit(digit) else { return nil }
            value = value * 10 + Int(digit - Ascii.zero)
        }
        return value < Int(self.absent) ? UInt16(value) : nil
    }

    /// The object, when there is one.
    public var object: UInt16? { self.levels.0 == Self.absent ? nil : self.levels.0 }
    /// The object instance, when there is one.
    public var instance: UInt16? { self.levels.1 == Self.absent ? nil : self.levels.1 }
    /// The resource, when there is one.
    public var resource: UInt16? { self.levels.2 == Self.absent ? nil : self.levels.2 }
    /// The resource instance, when there is one.
    public var resourceInstance: UInt16? { self.levels.3 == Self.absent ? nil : self.levels.3 }

    /// How many levels the path has, 0 to 4.
    public var depth: Int {
        if self.levels.0 == Self.absent { return 0 }
        if self.levels.1 == Self.absent { return 1 }
        if self.levels.2 == Self.absent { return 2 }
        return self.levels.3 == Self.absent ? 3 : 4
    }

    /// Returns the path one level below; this path has at most three levels, and the level is below 65535.
    public func appending(_ level: UInt16) -> ObjectPath {
        precondition(level != Self.absent, "65535 is reserved")
        switch self.depth {
        case 0: return ObjectPath(level)
        case 1: return ObjectPath(self.levels.0, level)
        case 2: return ObjectPath(self.levels.0, self.levels.1, level)
        case 3: return ObjectPath(resourceInstance: self.levels.0, self.levels.1, self.levels.2, level)
        default: preconditionFailure("a path has at most four levels")
        }
    }

    /// Returns the first levels of the path; all of it when it has no more.
    public func prefix(_ depth: Int) -> ObjectPath {
        ObjectPath(
            depth > 0 ? self.levels.0 : Self.absent,
            depth > 1 ? self.levels.1 : Self.absent,
            depth > 2 ? self.levels.2 : Self.absent,
            depth > 3 ? self.levels.3 : Self.absent
        )
    }

    /// Whether the other path is this one or lies below it.
    public func contains(_ other: ObjectPath) -> Bool {
        other.prefix(self.depth) == self
    }

    /// The levels as numbers, at most four.
    public var numbers: [UInt16] {
        [self.levels.0, self.levels.1, self.levels.2, self.levels.3].filter { $0 != Self.absent }
    }

    /// The segments of a Uri-Path.
    public var segments: [UTF8Text] { self.numbers.map { UTF8Text("\($0)") } }

    /// The path as text; `"/3/0/1"`, `"/"` for the root.
    public var text: String {
        guard self.depth > 0 else { return "/" }
        var text = ""
        for number in self.numbers { text += "/\(number)" }
        return text
    }

    private var packed: UInt64 {
        UInt64(self.levels.0) << 48 | UInt64(self.levels.1) << 32 | UInt64(self.levels.2) << 16 | UInt64(self.levels.3)
    }

    /// Whether every level is equal.
    public static func == (lhs: ObjectPath, rhs: ObjectPath) -> Bool { lhs.packed == rhs.packed }

    /// Orders a path before what lies below it, and by number on each level.
    public static func < (lhs: ObjectPath, rhs: ObjectPath) -> Bool { lhs.sortKey < rhs.sortKey }

    // Adding one turns "absent" into 0, which sorts a parent before its children.
    private var sortKey: UInt64 {
        UInt64(self.levels.0 &+ 1) << 48 | UInt64(self.levels.1 &+ 1) << 32 | UInt64(self.levels.2 &+ 1) << 16
            | UInt64(self.levels.3 &+ 1)
    }

    /// Feeds the levels to a hasher.
    public func hash(into hasher: inout Hasher) { hasher.combine(self.packed) }
}

#if !hasFeature(Embedded)
    extension ObjectPath: CustomStringConvertible {
        /// The path as text; `"/3/0/1"`.
        public var description: String { self.text }
    }
#endif
