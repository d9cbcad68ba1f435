/// Where the objects of this project stand among the object identifiers.
///
/// The OMA registry keeps 42769 to 42800 for tests, and gives blocks of 32769 to 42768 to companies that ask for one.
/// A deployment moves all the objects by one setting, which device, servers and simulator must share.
public struct OwnObjectIDs: Hashable, Sendable {
    /// The identifier of the first object.
    public let first: UInt16
    /// How many identifiers in a row are in use.
    public static let count: UInt16 = 2

    /// 42769 and up.
    public static let standard = OwnObjectIDs(unchecked: 42_769)

    /// Moves the objects to another place.
    ///
    /// - Returns: nil unless all of them lie within 32769 to 42800.
    public init?(first: UInt16) {
        guard first >= 32_769, first <= 42_800 - (Self.count - 1) else { return nil }
        self.first = first
    }

    private init(unchecked first: UInt16) { self.first = first }

    /// The profile of temporary bootstrap URIs.
    public var bootstrapURIProfile: UInt16 { self.first }
    /// Command sessions.
    public var commandSession: UInt16 { self.first + 1 }
}
