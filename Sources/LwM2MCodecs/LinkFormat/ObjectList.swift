public import CoAPMessages
public import LwM2MModel
public import Primitives

/// What a device tells a server that it hosts: the payload of Register and Update.
///
/// `</>;rt="oma.lwm2m";ct="110 112",</1/0>,</3/0>,</3303>;ver=1.1,</3303/0>`.
///
/// - Source: LwM2M Core 1.2.2, clause 6.2.1.
public struct ObjectList: Hashable, Sendable {
    /// An object or one of its instances.
    public struct Entry: Hashable, Sendable {
        /// A path of one or two levels.
        public let path: ObjectPath
        /// The version of the object, when it is stated.
        public let version: ObjectVersion?

        /// Creates an entry.
        public init(_ path: ObjectPath, version: ObjectVersion? = nil) {
            self.path = path
            self.version = version
        }
    }

    /// Where the objects stand on the device; no segment means the root, as nearly everywhere.
    public var alternatePath: [UTF8Text]
    /// The formats the device says it supports besides those every device does.
    public var contentFormats: [ContentFormat]
    /// The objects and instances, in the order of the payload.
    public var entries: [Entry]

    /// Creates a list.
    public init(entries: [Entry], contentFormats: [ContentFormat] = [], alternatePath: [UTF8Text] = []) {
        self.alternatePath = alternatePath
        self.contentFormats = contentFormats
        self.entries = entries
    }

    /// Writes the list; the link of the root comes first when it says anything.
    public func encoded() -> [UInt8] {
        var writer = LinkWriter(capacity: 16 + self.entries.count * 10)
        var prefix: [UInt8] = []
        for segment in self.alternatePath {
            prefix.append(Ascii.slash)
            prefix += segment.bytes
        }
        if !self.contentFormats.isEmpty || !prefix.isEmpty {
            writer.beginLink(prefix.isEmpty ? [Ascii.slash] : prefix)
            writer.writeAttribute("rt", quoted: Array("oma.lwm2m".utf8))
            if let only = self.contentFormats.first, self.contentFormats.count == 1 {
                writer.writeAttribute("ct", UTF8Text("\(only.rawValue)").bytes)
            } else if !self.contentFormats.isEmpty {
                var formats: [UInt8] = []
                for format in self.contentFormats {
                    if !formats.isEmpty { formats.append(UInt8(ascii: " ")) }
                    formats += UTF8Text("\(format.rawValue)").bytes
                }
                writer.writeAttribute("ct", quoted: formats)
            }
        }
        for entry in self.entries {
            writer.beginLink(prefix, path: entry.path)
            if let version = entry.version { writer.writeVersion(version) }
        }
        return writer.bytes
    }

    /// Reads a list; attributes and links that LwM2M does not define are passed over.
    public init(decoding payload: [UInt8]) throws(LinkFormat.ParseError) {
        self.init(entries: [])
        // The root's link need not stand first, so the others wait for its prefix.
        var others: [Candidate] = []
        var prefix: ArraySlice<UInt8> = []
        var reader = LinkReader(payload)
        while let link = try reader.next() {
            if try self.readRoot(link) {
                prefix = link.target == [Ascii.slash] ? [] : link.target
            } else {
                others.append(Candidate(link))
            }
        }
        for link in others where link.target.starts(with: prefix) {
            let path = LinkFormat.path(link.target.dropFirst(prefix.count))
            guard let path, (1...2).contains(path.depth) else { throw .invalidPath(at: link.offset) }
            guard link.isVersionValid else { throw .invalidAttribute(at: link.offset) }
            self.entries.append(Entry(path, version: link.version))
        }
    }

    /// What is kept of a link until the prefix is known: not its other attributes, which a peer can make many of.
    private struct Candidate {
        let offset: Int
        let target: ArraySlice<UInt8>
        private(set) var version: ObjectVersion?
        private(set) var isVersionValid = true

        init(_ link: RawLink) {
            self.offset = link.offset
            self.target = link.target
            for attribute in link.attributes where attribute.isNamed("ver") {
                self.version = attribute.value.flatMap(ObjectVersion.init(digits:))
                self.isVersionValid = self.isVersionValid && self.version != nil
            }
        }
    }

    /// Takes over what the root's link says, when the link is that one.
    private mutating func readRoot(_ link: RawLink) throws(LinkFormat.ParseError) -> Bool {
        let isRoot = link.attributes.contains { attribute in
            attribute.isNamed("rt")
                && (attribute.value ?? []).split(separator: UInt8(ascii: " ")).contains {
                    $0.elementsEqual("oma.lwm2m".utf8)
                }
        }
        guard isRoot || link.target == [Ascii.slash] else { return false }
        guard link.target.first == Ascii.slash else { throw .invalidPath(at: link.offset) }
        self.alternatePath = []
        for segment in link.target.split(separator: Ascii.slash) {
            guard let text = UTF8Text(validating: Array(segment)) else { throw .invalidPath(at: link.offset) }
            self.alternatePath.append(text)
        }
        for attribute in link.attributes where attribute.isNamed("ct") {
            for number in (attribute.value ?? []).split(separator: UInt8(ascii: " ")) {
                guard let value = DecimalNumber.unsigned(number), value <= 0xFFFF else {
                    throw .invalidAttribute(at: link.offset)
                }
                self.contentFormats.append(ContentFormat(rawValue: UInt16(value)))
            }
        }
        return true
    }
}

extension LinkFormat {
    /// Reads a target as a path; nil when it is none.
    static func path(_ target: ArraySlice<UInt8>) -> ObjectPath? {
        try? ObjectPath(parsing: Array(target))
    }
}

extension ObjectVersion {
    /// Reads `1.1`.
    init?(digits: ArraySlice<UInt8>) {
        let parts = digits.split(separator: Ascii.dot, omittingEmptySubsequences: false)
        guard parts.count == 2, let major = DecimalNumber.unsigned(parts[0]),
            let minor = DecimalNumber.unsigned(parts[1]), major <= 255, minor <= 255
        else { return nil }
        self.init(UInt8(major), UInt8(minor))
    }
}
