import CoAPMessages
import LwM2MModel
import Primitives

/// A request of a server, told apart by method, path depth and options.
///
/// - Source: LwM2M Transport 1.2.2, clause 6.4.3 (the operation mapping).
enum ManagementRequest: Hashable {
    case read(ObjectPath, accept: ContentFormat?)
    case discover(ObjectPath)
    case observe(ObjectPath, accept: ContentFormat?)
    case cancelObservation(ObjectPath, accept: ContentFormat?)
    case write(ObjectPath, WriteMode, ContentFormat)
    case writeAttributes(ObjectPath, [UTF8Text])
    case execute(ObjectPath)
    case create(UInt16, ContentFormat)
    case delete(ObjectPath)
    /// POST on a resource: Execute when the resource is executable, else a partial update when a format is named.
    case postResource(ObjectPath, ContentFormat?)

    /// Tells which operation a request is.
    ///
    /// - Throws: 4.04 for a path that is no object path, 4.05 for a method that the path's level does not have, 4.00 for
    ///   a payload without a format.
    static func parse(_ request: CoAPRequest) throws(Refusal) -> ManagementRequest {
        let path = try Self.path(of: request)
        switch request.method {
        case .get: return try Self.parseGet(request, path)
        case .put: return try Self.parsePut(request, path)
        case .post: return try Self.parsePost(request, path)
        case .delete:
            guard path.depth > 0 else { throw Refusal(.methodNotAllowed) }
            return .delete(path)
        default: throw Refusal(.methodNotAllowed)
        }
    }

    /// The object path of a request; the root when it has none.
    static func path(of request: CoAPRequest) throws(Refusal) -> ObjectPath {
        guard let segments = request.path else { throw Refusal(.badRequest) }
        if segments.isEmpty { return .root }
        do { return try ObjectPath(segments: segments) } catch { throw Refusal(.notFound) }
    }

    private static func parseGet(_ request: CoAPRequest, _ path: ObjectPath) throws(Refusal) -> ManagementRequest {
        let accept = request.options.accept
        // An Accept of more than two bytes names no format (RFC 7252, section 5.10).
        guard accept != nil || request.options.first(.accept) == nil else { throw Refusal(.notAcceptable) }
        if accept == .linkFormat {
            guard (1...3).contains(path.depth) else { throw Refusal(.methodNotAllowed) }
            return .discover(path)
        }
        switch request.options.observe {
        case nil: return .read(path, accept: accept)
        case 0: return .observe(path, accept: accept)
        case 1: return .cancelObservation(path, accept: accept)
        default: throw Refusal(.badRequest)
        }
    }

    private static func parsePut(_ request: CoAPRequest, _ path: ObjectPath) throws(Refusal) -> ManagementRequest {
        if let format = try self.format(of: request) {
            guard path.depth >= 2 else { throw Refusal(.methodNotAllowed) }
            return .write(path, .replace, format)
        }
        guard let query = request.query else { throw Refusal(.badRequest) }
        if !query.isEmpty, request.payload.isEmpty {
            guard path.depth > 0 else { throw Refusal(.methodNotAllowed) }
            return .writeAttributes(path, query)
        }
        guard path.depth >= 2 else { throw Refusal(.methodNotAllowed) }
        throw Refusal(.badRequest)
    }

    private static func parsePost(_ request: CoAPRequest, _ path: ObjectPath) throws(Refusal) -> ManagementRequest {
        let format = try self.format(of: request)
        switch path.depth {
        case 1:
            guard let object = path.object, let format else {
                // Clause 6.3.6: an instance may be created without any value, and then needs no format.
                guard let object = path.object, request.payload.isEmpty else { throw Refusal(.badRequest) }
                return .create(object, .tlv)
            }
            return .create(object, format)
        case 2:
            guard let format else { throw Refusal(request.payload.isEmpty ? .methodNotAllowed : .badRequest) }
            return .write(path, .update, format)
        case 3:
            return .postResource(path, format)
        default:
            throw Refusal(.methodNotAllowed)
        }
    }

    private static func format(of request: CoAPRequest) throws(Refusal) -> ContentFormat? {
        guard request.options.first(.contentFormat) != nil else { return nil }
        guard let format = request.options.contentFormat else { throw Refusal(.unsupportedContentFormat) }
        return format
    }

    /// The operation, as reports name it.
    var operation: ManagementOperation {
        switch self {
        case .read: .read
        case .discover: .discover
        case .observe: .observe
        case .cancelObservation: .cancelObservation
        case .write(_, .replace, _): .write
        case .write(_, .update, _): .partialUpdate
        case .writeAttributes: .writeAttributes
        case .execute, .postResource: .execute
        case .create: .create
        case .delete: .delete
        }
    }

    /// What the operation is about.
    var path: ObjectPath {
        switch self {
        case .read(let path, _), .discover(let path), .observe(let path, _), .cancelObservation(let path, _),
            .write(let path, _, _), .writeAttributes(let path, _), .execute(let path), .delete(let path),
            .postResource(let path, _):
            path
        case .create(let object, _): ObjectPath(object)
        }
    }
}
