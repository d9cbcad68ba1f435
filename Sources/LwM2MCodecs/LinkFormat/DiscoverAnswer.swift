public import LwM2MModel
public import Primitives

/// One line of an answer to Discover or Bootstrap-Discover: a path and what is attached to it.
///
/// - Source: LwM2M Core 1.2.2, clauses 6.1.7.3 and 6.3.4.
public struct DiscoveredPath: Hashable, Sendable {
    /// The object, instance, resource or resource instance; the root only in an answer to Bootstrap-Discover.
    public var path: ObjectPath
    /// What steers notifications of the path.
    public var attributes: NotificationAttributes
    /// How many instances a multiple resource has.
    public var dimension: UInt32?
    /// The version of the object, when it is stated.
    public var version: ObjectVersion?
    /// The short server identifier of an instance of Security or Server; Bootstrap-Discover only.
    public var shortServerID: UInt16?
    /// The URI of an instance of Security; Bootstrap-Discover only.
    public var serverURI: UTF8Text?
    /// The enabler's version, which the root's line of an answer to Bootstrap-Discover states.
    public var enablerVersion: ObjectVersion?

    /// Creates a line with nothing attached.
    public init(
        _ path: ObjectPath,
        attributes: NotificationAttributes = NotificationAttributes(),
        dimension: UInt32? = nil,
        version: ObjectVersion? = nil
    ) {
        self.path = path
        self.attributes = attributes
        self.dimension = dimension
        self.version = version
    }
}

/// Answers to Discover and Bootstrap-Discover as bytes.
public enum DiscoverAnswer {
    /// Writes the lines in their order.
    public static func encode(_ lines: [DiscoveredPath]) -> [UInt8] {
        var writer = LinkWriter(capacity: lines.count * 16)
        for line in lines {
            writer.beginLink([], path: line.path)
            if let version = line.enablerVersion { writer.writeEnablerVersion(version) }
            if let version = line.version { writer.writeVersion(version) }
            if let ssid = line.shortServerID { writer.writeAttribute("ssid", UTF8Text("\(ssid)").bytes) }
            if let uri = line.serverURI { writer.writeAttribute("uri", quoted: uri.bytes) }
            if let dimension = line.dimension { writer.writeAttribute("dim", UTF8Text("\(dimension)").bytes) }
            for query in line.attributes.queries { writer.writeAttribute(query) }
        }
        return writer.bytes
    }

    /// Reads an answer; attributes that LwM2M does not define are passed over.
    public static func decode(_ payload: [UInt8]) throws(LinkFormat.ParseError) -> [DiscoveredPath] {
        var lines: [DiscoveredPath] = []
        var reader = LinkReader(payload)
        while let link = try reader.next() {
            guard let path = LinkFormat.path(link.target) else { throw .invalidPath(at: link.offset) }
            var line = DiscoveredPath(path)
            for attribute in link.attributes {
                guard line.read(attribute) else { throw .invalidAttribute(at: link.offset) }
            }
            lines.append(line)
        }
        return lines
    }
}

extension DiscoveredPath {
    /// Takes an attribute over; false when its value has the wrong shape.
    fileprivate mutating func read(_ attribute: LinkAttribute) -> Bool {
        let value = attribute.value ?? []
        if attribute.isNamed("dim") {
            guard let number = DecimalNumber.unsigned(value).flatMap(UInt32.init(exactly:)) else { return false }
            self.dimension = number
        } else if attribute.isNamed("ver") {
            guard let version = ObjectVersion(digits: value) else { return false }
            self.version = version
        } else if attribute.isNamed("lwm2m") {
            guard let version = ObjectVersion(digits: value) else { return false }
            self.enablerVersion = version
        } else if attribute.isNamed("ssid") {
            guard let number = DecimalNumber.unsigned(value).flatMap(UInt16.init(exactly:)) else { return false }
            self.shortServerID = number
        } else if attribute.isNamed("uri") {
            guard let text = UTF8Text(validating: Array(value)) else { return false }
            self.serverURI = text
        } else {
            return self.attributes.take(name: attribute.name, value: attribute.value) != .invalid
        }
        return true
    }
}
