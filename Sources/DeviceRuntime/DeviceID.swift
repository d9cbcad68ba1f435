/// One device of a runtime; valid until the device is removed, after which the number may be given again.
public struct DeviceID: Hashable, Sendable {
    /// The place of the device in the runtime, counted from 0.
    public let index: UInt32

    /// Creates the identifier of the device at a place.
    public init(index: UInt32) {
        self.index = index
    }
}
