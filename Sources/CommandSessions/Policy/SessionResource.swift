public import LwM2MModel
import Primitives

/// The resources of the Command Session object; the numbers are their identifiers.
public enum SessionResource: UInt16, Sendable, CaseIterable {
    case message1 = 0
    case message2 = 1
    case message3 = 2
    case mode = 3
    case gatewayAddresses = 4
    case protectedPaths = 5
    case state = 6
    case lastBreach = 7
    case outcomeQuery = 8
    case outcome = 9
    case completed = 10
    case aborted = 11
    case breaches = 12
    case refusedDirectChanges = 13
    case breachPolicy = 14
    case alarm = 15
    case resetAlarm = 16
    case suspension = 17
    case gateway = 18
    case timeout = 19
    case gatewayIdentifier = 20
    case deviceIdentifier = 21

    /// Whether a gateway writes the resource as part of the exchange; anything else is changed inside a session only.
    public var isMessage: Bool { self == .message1 || self == .message3 || self == .outcomeQuery }

    /// Whether the value belongs to a session in progress, and ends with it.
    public var isPassing: Bool { self == .message2 || self == .outcome }

    /// What the resource is.
    public var definition: ResourceDefinition {
        switch self {
        case .message1: self.define("Message 1", .write, .opaque)
        case .message2: self.define("Message 2", .read, .opaque)
        case .message3: self.define("Message 3", .write, .opaque)
        case .mode: self.define("Mode", .readWrite, .integer, isMandatory: true, range: .oneOf([0, 1]))
        case .gatewayAddresses:
            self.define("Gateway Addresses", .readWrite, .string, isMultiple: true, isMandatory: true)
        case .protectedPaths: self.define("Protected Paths", .readWrite, .string, isMultiple: true)
        case .state: self.define("State", .read, .integer, range: .oneOf([0, 1, 2]))
        case .lastBreach: self.define("Last Breach", .read, .string)
        case .outcomeQuery: self.define("Outcome Query", .write, .opaque)
        case .outcome: self.define("Outcome", .read, .opaque)
        case .completed: self.define("Completed Sessions", .read, .integer)
        case .aborted: self.define("Aborted Sessions", .read, .integer)
        case .breaches: self.define("Breaches", .read, .integer)
        case .refusedDirectChanges: self.define("Refused Direct Changes", .read, .integer)
        case .breachPolicy: self.define("Breach Policy", .readWrite, .string, range: .lengths(0...512))
        case .alarm: self.define("Alarm", .read, .boolean)
        case .resetAlarm: self.define("Reset Alarm", .execute, .none)
        case .suspension: self.define("Suspension", .readWrite, .integer, range: .numbers(1...2_592_000), units: "s")
        case .gateway: self.define("Gateway", .readWrite, .integer, range: .numbers(0...65_534))
        case .timeout: self.define("Timeout", .readWrite, .integer, range: .numbers(1...86_400), units: "s")
        case .gatewayIdentifier: self.define("Gateway Identifier", [], .opaque, range: .lengths(16...32))
        case .deviceIdentifier: self.define("Device Identifier", [], .opaque, range: .lengths(16...32))
        }
    }

    private func define(
        _ name: UTF8Text,
        _ operations: ResourceOperations,
        _ type: ResourceType,
        isMultiple: Bool = false,
        isMandatory: Bool = false,
        range: ValueRange = .any,
        units: UTF8Text = ""
    ) -> ResourceDefinition {
        ResourceDefinition(
            self.rawValue,
            name,
            operations,
            type,
            isMultiple: isMultiple,
            isMandatory: isMandatory,
            range: range,
            units: units
        )
    }
}

extension SessionPolicy {
    /// The definition of the object that sessions go over; an instance for each gateway.
    public static func objectDefinition(ids: OwnObjectIDs = .standard) -> ObjectDefinition {
        ObjectDefinition(
            ids.commandSession,
            "Command Session",
            isMultiple: true,
            resources: SessionResource.allCases.map { $0.definition }
        )
    }
}
