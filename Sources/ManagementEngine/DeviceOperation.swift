public import CoAPMessages
public import LwM2MModel

/// A command for a device: an operation of the device management or information reporting interface.
///
/// - Source: LwM2M Core 1.2.2, clauses 6.3 and 6.4.
public enum DeviceOperation: Hashable, Sendable {
    /// Read an object, instance, resource or resource instance; the device picks the format unless one is asked for.
    case read(ObjectPath, accept: ContentFormat? = nil)
    /// Ask what is below a path and which attributes are attached.
    case discover(ObjectPath)
    /// Write and remove what is not written: PUT; of an instance, resource or resource instance.
    case replace(ObjectPath, [ResourceRecord], format: ContentFormat? = nil)
    /// Write and keep what is not written: POST; of an instance or a multiple resource.
    case update(ObjectPath, [ResourceRecord], format: ContentFormat? = nil)
    /// Execute a resource.
    case execute(ObjectPath, arguments: [UInt8] = [])
    /// Create an instance of an object; without an identifier the device chooses one.
    ///
    /// The records' paths name the instance, or instance 0 when the device chooses.
    case create(object: UInt16, instance: UInt16?, [ResourceRecord], format: ContentFormat? = nil)
    /// Delete an instance or a resource instance.
    case delete(ObjectPath)
    /// Attach attributes to a path; only those set are sent.
    case writeAttributes(ObjectPath, NotificationAttributes)
    /// Report changes from now on.
    case observe(ObjectPath, accept: ContentFormat? = nil)
    /// Report changes no longer.
    case cancelObservation(ObjectPath)

    /// What the operation is aimed at.
    public var path: ObjectPath {
        switch self {
        case .read(let path, _), .discover(let path), .replace(let path, _, _), .update(let path, _, _),
            .execute(let path, _), .delete(let path), .writeAttributes(let path, _), .observe(let path, _),
            .cancelObservation(let path):
            path
        case .create(let object, let instance, _, _):
            instance.map { ObjectPath(object, $0) } ?? ObjectPath(object)
        }
    }
}
