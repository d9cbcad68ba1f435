/// A command that was given: a number that grows with each command that the gateway ever took.
public struct GatewayCommandID: Hashable, Comparable, Sendable {
    /// The number the driver chose.
    public let rawValue: UInt64

    /// Creates an identifier from its number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Orders commands by their numbers.
    public static func < (lhs: GatewayCommandID, rhs: GatewayCommandID) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// A write or read that was handed to the driver.
public struct GatewayOperationID: Hashable, Sendable {
    /// The number the engine gave it.
    public let rawValue: UInt64

    /// Creates an identifier from its number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// Changes that were handed to the store.
public struct GatewayChangeID: Hashable, Sendable {
    /// The number the engine gave them.
    public let rawValue: UInt64

    /// Creates an identifier from its number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}
