import LwM2MModel
public import Primitives

/// A field of a profile's textual form, which is also a resource of its object.
public enum ProfileField: UInt16, Hashable, CaseIterable, Sendable {
    // The raw value is the resource; resource 0 links to the Security instance.
    case parameters = 1
    case combination = 2
    case suite = 3
    case alphabet = 4
    case selection = 5
    case insertion = 6
    case part = 7
    case period = 8
    case rounding = 9
    case timeForm = 10
    case clockSkew = 11
    case counter = 12
    case fallback = 13
    case regeneration = 14
    case shortNames = 15
    case test = 16

    /// The name in the textual form; `"clock-skew"`.
    public var name: UTF8Text {
        switch self {
        case .parameters: "parameters"
        case .combination: "combination"
        case .suite: "suite"
        case .alphabet: "alphabet"
        case .selection: "selection"
        case .insertion: "insertion"
        case .part: "part"
        case .period: "period"
        case .rounding: "rounding"
        case .timeForm: "time-form"
        case .clockSkew: "clock-skew"
        case .counter: "counter"
        case .fallback: "fallback"
        case .regeneration: "regenerate"
        case .shortNames: "short-names"
        case .test: "test"
        }
    }

    /// The field with a name; nil when no field has it.
    init?(named name: UTF8Text) {
        for field in Self.allCases where field.name == name {
            self = field
            return
        }
        return nil
    }

    /// The resource that holds the field.
    var definition: ResourceDefinition {
        switch self {
        case .parameters: self.text("Parameters")
        case .combination: self.text("Combination")
        case .suite: self.text("Hash Suite")
        case .alphabet: self.text("Alphabet")
        case .selection: self.text("Selection")
        case .insertion: self.text("Insertion")
        case .part: self.text("Parameter Part")
        case .period: self.number("Period", .integer, BootstrapURIProfile.periods, units: "s")
        case .rounding: self.text("Rounding")
        case .timeForm: self.text("Time Stamp Form")
        case .clockSkew: self.number("Clock Skew", .integer, BootstrapURIProfile.clockSkews, units: "s")
        case .counter: ResourceDefinition(self.rawValue, "Random Variable Counter", .readWrite, .unsignedInteger)
        case .fallback: ResourceDefinition(self.rawValue, "Fallback To Static URI", .readWrite, .boolean)
        case .regeneration: ResourceDefinition(self.rawValue, "Regenerate Every Period", .readWrite, .boolean)
        case .shortNames: ResourceDefinition(self.rawValue, "Allow Short Names", .readWrite, .boolean)
        case .test: ResourceDefinition(self.rawValue, "Test", .readWrite, .boolean)
        }
    }

    private func text(_ name: UTF8Text) -> ResourceDefinition {
        ResourceDefinition(self.rawValue, name, .readWrite, .string, range: .lengths(0...ProfileValue.largestText))
    }

    private func number(
        _ name: UTF8Text,
        _ type: ResourceType,
        _ range: ClosedRange<Int64>,
        units: UTF8Text
    ) -> ResourceDefinition {
        ResourceDefinition(
            self.rawValue,
            name,
            .readWrite,
            type,
            range: .numbers(Double(range.lowerBound)...Double(range.upperBound)),
            units: units
        )
    }
}
