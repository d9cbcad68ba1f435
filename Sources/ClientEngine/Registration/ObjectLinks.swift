import CoAPMessages
import LwM2MModel
import Primitives

/// The lists of objects, instances and resources that Register, Update and the Discover operations carry.
///
/// - Source: LwM2M Core 1.2.2, clauses 6.2.1, 6.1.7.2 and 6.3.3; RFC 6690.
struct ObjectLinks {
    private(set) var bytes: [UInt8] = []

    /// The objects and instances of a registration: `</>;rt="oma.lwm2m";ct=11542,</1/0>,</3/0>`.
    static func registration(_ tree: DeviceTree, version: EnablerVersion) -> [UInt8] {
        var links = ObjectLinks()
        links.bytes.reserveCapacity(128)
        links.bytes += Array("</>;rt=\"oma.lwm2m\";ct=".utf8)
        links.bytes += Array((version == .v1_0 ? "11542" : "\"60 110 112 11542\"").utf8)
        for object in tree.objects where !DeviceTree.isHidden(object.definition.id) {
            links.appendObject(object) { _, _ in }
        }
        return links.bytes
    }

    /// One object with its version where it must be named, then each instance.
    ///
    /// - Parameter attributes: adds the attributes of an instance.
    mutating func appendObject(_ object: HostedObject, attributes: (inout ObjectLinks, HostedInstance) -> Void) {
        let path = ObjectPath(object.definition.id)
        if object.definition.version != .initial || object.instances.isEmpty {
            self.append(path)
            if object.definition.version != .initial { self.appendVersion(object.definition.version) }
        }
        for instance in object.instances {
            self.append(path.appending(instance.id))
            attributes(&self, instance)
        }
    }

    mutating func append(_ path: ObjectPath) {
        if !self.bytes.isEmpty { self.bytes.append(UInt8(ascii: ",")) }
        self.bytes.append(UInt8(ascii: "<"))
        if path.depth == 0 { self.bytes.append(UInt8(ascii: "/")) }
        for number in path.numbers {
            self.bytes.append(UInt8(ascii: "/"))
            self.appendNumber(UInt64(number))
        }
        self.bytes.append(UInt8(ascii: ">"))
    }

    mutating func appendVersion(_ version: ObjectVersion) {
        self.appendName("ver")
        self.appendNumber(UInt64(version.major))
        self.bytes.append(UInt8(ascii: "."))
        self.appendNumber(UInt64(version.minor))
    }

    mutating func append(_ name: UTF8Text, _ value: UInt64) {
        self.appendName(name)
        self.appendNumber(value)
    }

    mutating func append(_ name: UTF8Text, _ value: Double) {
        self.appendName(name)
        self.bytes += DecimalText.bytes(of: value)
    }

    mutating func append(_ name: UTF8Text, token: UTF8Text) {
        self.appendName(name)
        self.bytes += token.bytes
    }

    /// A value in quotes; a quote or backslash inside is escaped (RFC 2616, section 2.2).
    mutating func append(_ name: UTF8Text, quoted: UTF8Text) {
        self.appendName(name)
        self.bytes.append(UInt8(ascii: "\""))
        for byte in quoted.bytes {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { self.bytes.append(UInt8(ascii: "\\")) }
            self.bytes.append(byte)
        }
        self.bytes.append(UInt8(ascii: "\""))
    }

    mutating func append(_ attributes: NotificationAttributes) {
        if let value = attributes.minimumPeriod { self.append("pmin", UInt64(value)) }
        if let value = attributes.maximumPeriod { self.append("pmax", UInt64(value)) }
        if let value = attributes.greaterThan { self.append("gt", value) }
        if let value = attributes.lessThan { self.append("lt", value) }
        if let value = attributes.step { self.append("st", value) }
    }

    private mutating func appendName(_ name: UTF8Text) {
        self.bytes.append(UInt8(ascii: ";"))
        self.bytes += name.bytes
        self.bytes.append(UInt8(ascii: "="))
    }

    private mutating func appendNumber(_ value: UInt64) {
        if value >= 10 { self.appendNumber(value / 10) }
        self.bytes.append(UInt8(ascii: "0") + UInt8(value % 10))
    }
}

/// Floating-point numbers as decimal text without an exponent, as attributes need them.
enum DecimalText {
    /// The digits; a whole number without a point, else at most nine places.
    static func bytes(of value: Double) -> [UInt8] {
        guard value.isFinite, value.magnitude < 1e15 else { return Array("\(value)".utf8) }
        let scaled = (value.magnitude * 1e9).rounded()
        guard scaled < 1.8e19 else { return Self.digits(UInt64(value.magnitude), isNegative: value < 0) }
        let total = UInt64(scaled)
        var bytes = Self.digits(total / 1_000_000_000, isNegative: value < 0 && total > 0)
        var rest = total % 1_000_000_000
        guard rest > 0 else { return bytes }
        bytes.append(UInt8(ascii: "."))
        var place: UInt64 = 100_000_000
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest / place))
            rest %= place
            place /= 10
        }
        return bytes
    }

    private static func digits(_ value: UInt64, isNegative: Bool) -> [UInt8] {
        var reversed: [UInt8] = []
        var rest = value
        repeat {
            reversed.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        if isNegative { reversed.append(UInt8(ascii: "-")) }
        return reversed.reversed()
    }
}
