import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import ManagementEngine
import Primitives

/// The words of the control protocol for formats, types, values and failures.
enum ControlNames {
    static let formats: [String: ContentFormat] = [
        "text": .text, "opaque": .opaque, "cbor": .cbor, "tlv": .tlv, "senml-json": .senMLJSON,
        "senml-cbor": .senMLCBOR, "link": .linkFormat,
    ]

    static let types: [String: ResourceType] = [
        "string": .string, "integer": .integer, "unsigned": .unsignedInteger, "float": .float, "boolean": .boolean,
        "opaque": .opaque, "time": .time, "link": .objectLink,
    ]

    static func name(of type: ResourceType) -> String {
        switch type {
        case .string, .corelnk: "string"
        case .integer: "integer"
        case .unsignedInteger: "unsigned"
        case .float: "float"
        case .boolean: "boolean (true or false)"
        case .opaque: "opaque (hexadecimal)"
        case .time: "time (seconds since 1970)"
        case .objectLink: "link (object:instance)"
        case .none: "none: it can only be executed"
        }
    }

    /// What a text most likely is, for resources that nobody defined.
    static func likelyType(of text: String) -> ResourceType {
        if text == "true" || text == "false" { return .boolean }
        if Int64(text) != nil { return .integer }
        return Double(text) != nil ? .float : .string
    }

    static func value(_ text: String, _ type: ResourceType) -> ResourceValue? {
        switch type {
        case .string, .corelnk: return .string(UTF8Text(text))
        case .integer: return Int64(text).map(ResourceValue.integer)
        case .unsignedInteger: return UInt64(text).map(ResourceValue.unsignedInteger)
        case .float: return Double(text).map(ResourceValue.float)
        case .boolean:
            switch text {
            case "true", "1": return .boolean(true)
            case "false", "0": return .boolean(false)
            default: return nil
            }
        case .opaque: return Hexadecimal.decode(text).map(ResourceValue.opaque)
        case .time: return Int64(text).map { .time(WallTime(secondsSinceEpoch: $0)) }
        case .objectLink:
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { UInt16($0) }
            guard parts.count == 2, let object = parts[0], let instance = parts[1] else { return nil }
            return .objectLink(object: object, instance: instance)
        case .none: return nil
        }
    }

    static func value(_ record: ResourceRecord) -> ControlValue {
        let path = record.path.text
        switch record.value {
        case .string(let text): return ControlValue(path: path, type: "string", value: .text(text.string))
        case .integer(let number): return ControlValue(path: path, type: "integer", value: .integer(number))
        case .unsignedInteger(let number): return ControlValue(path: path, type: "unsigned", value: .unsigned(number))
        case .float(let number): return ControlValue(path: path, type: "float", value: .number(number))
        case .boolean(let flag): return ControlValue(path: path, type: "boolean", value: .boolean(flag))
        case .opaque(let bytes):
            return ControlValue(path: path, type: "opaque", value: .text(Hexadecimal.encode(bytes)))
        case .time(let time): return ControlValue(path: path, type: "time", value: .integer(time.secondsSinceEpoch))
        case .objectLink(let object, let instance):
            return ControlValue(path: path, type: "link", value: .text("\(object):\(instance)"))
        }
    }

    static func path(_ found: DiscoveredPath) -> ControlPath {
        var attributes: [String: Double] = [:]
        attributes["pmin"] = found.attributes.minimumPeriod.map(Double.init)
        attributes["pmax"] = found.attributes.maximumPeriod.map(Double.init)
        attributes["gt"] = found.attributes.greaterThan
        attributes["lt"] = found.attributes.lessThan
        attributes["st"] = found.attributes.step
        attributes["dim"] = found.dimension.map(Double.init)
        return ControlPath(
            path: found.path.text,
            attributes: attributes,
            version: found.version.map { "\($0.major).\($0.minor)" }
        )
    }

    static func seconds(_ duration: Duration) -> Double {
        (Double(duration.nanoseconds) / 1e8).rounded() / 10
    }

    static func words(for failure: CommandFailure) -> (cause: String, message: String) {
        switch failure {
        case .notRegistered: ("not-registered", "no device of this name is registered")
        case .invalidPath(let path): ("bad-request", "\(path.text) does not suit the operation")
        case .encoding(.unsupportedFormat): ("bad-request", "values cannot be written in this format")
        case .encoding(.needsOneValue): ("bad-request", "this format carries one value; tlv carries several")
        case .encoding(.invalidPath(let path)), .encoding(.unsupportedValue(let path)):
            ("bad-request", "the format cannot carry the value of \(path.text)")
        case .queueFull: ("queue-full", "too many commands wait for the device")
        case .tooManyObservations: ("too-many-observations", "the device has as many observations as are allowed")
        case .notObserved(let path): ("not-observed", "nothing is observed at \(path.text)")
        case .observationRefused: ("observation-refused", "the device answered, but will not report changes")
        case .registrationEnded: ("registration-ended", "the registration ended while the command waited")
        case .unreachable(.timedOut): ("timed-out", "the device did not answer in time")
        case .unreachable(.reset): ("reset", "the device rejected the message")
        case .unreachable(.sessionClosed): ("no-session", "the session with the device is closed")
        case .unreachable(.malformedAnswer): ("malformed-answer", "the device's answer cannot be read")
        case .unreachable(.notSent): ("not-sent", "the request could not be sent")
        }
    }

    static func words(for end: ObservationEnd) -> (cause: String, message: String) {
        switch end {
        case .cancelled: ("cancelled", "the observation was cancelled")
        case .replaced: ("replaced", "the path is observed anew")
        case .refused(let code): ("refused", "the device ended the observation with \(code.text)")
        case .registrationEnded: ("registration-ended", "the registration ended")
        case .sessionClosed: ("no-session", "the session with the device is closed")
        }
    }
}
