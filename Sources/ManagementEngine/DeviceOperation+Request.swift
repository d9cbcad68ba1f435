package import CoAPMessages
internal import LwM2MCodecs
internal import LwM2MModel
internal import Primitives

extension DeviceOperation {
    /// The request that carries the operation out.
    ///
    /// - Parameter registration: tells the version, the formats and the path below which the objects stand.
    package func request(for registration: Registration) throws(CommandFailure) -> CoAPRequest {
        try self.checkPath()
        let prefix = registration.objects.alternatePath
        switch self {
        case .read(let path, let accept):
            return CoAPRequest(.get, path: prefix + path.segments, accept: accept)
        case .discover(let path):
            return CoAPRequest(.get, path: prefix + path.segments, accept: .linkFormat)
        case .observe(let path, let accept):
            var request = CoAPRequest(.get, path: prefix + path.segments, accept: accept)
            request.options.append(.observe, unsigned: 0)
            return request
        case .cancelObservation(let path):
            var request = CoAPRequest(.get, path: prefix + path.segments)
            request.options.append(.observe, unsigned: 1)
            return request
        case .replace(let path, let records, let format):
            return try Self.write(.put, path, records, format, registration)
        case .update(let path, let records, let format):
            return try Self.write(.post, path, records, format, registration)
        case .execute(let path, let arguments):
            let format: ContentFormat? = arguments.isEmpty ? nil : .text
            return CoAPRequest(.post, path: prefix + path.segments, contentFormat: format, payload: arguments)
        case .create(let object, let instance, let records, let format):
            let format = format ?? Self.structuredFormat(registration)
            // Without an identifier the payload holds bare resources, so that the device chooses the instance.
            let base = instance == nil ? ObjectPath(object, 0) : ObjectPath(object)
            let payload = try Self.encode(records, format, base)
            return CoAPRequest(
                .post,
                path: prefix + ObjectPath(object).segments,
                contentFormat: format,
                payload: payload
            )
        case .delete(let path):
            return CoAPRequest(.delete, path: prefix + path.segments)
        case .writeAttributes(let path, let attributes):
            return CoAPRequest(.put, path: prefix + path.segments, query: attributes.queries)
        }
    }

    /// Refuses paths whose level no device could make sense of; what a device supports it says itself.
    private func checkPath() throws(CommandFailure) {
        let depths: ClosedRange<Int>
        switch self {
        case .read, .discover, .observe, .writeAttributes, .cancelObservation: depths = 1...4
        case .replace: depths = 2...4
        case .update: depths = 2...3
        case .execute: depths = 3...3
        case .delete: depths = 2...4
        case .create(_, let instance, let records, _):
            let base = ObjectPath(self.path.object ?? 0, instance ?? 0)
            for record in records where !base.contains(record.path) { throw .invalidPath(record.path) }
            return
        }
        guard depths.contains(self.path.depth) else { throw .invalidPath(self.path) }
        if case .writeAttributes(_, let attributes) = self, attributes.isEmpty { throw .invalidPath(self.path) }
    }

    private static func write(
        _ method: CoAPCode,
        _ path: ObjectPath,
        _ records: [ResourceRecord],
        _ format: ContentFormat?,
        _ registration: Registration
    ) throws(CommandFailure) -> CoAPRequest {
        let format = format ?? self.defaultFormat(of: records, at: path, registration)
        return CoAPRequest(
            method,
            path: registration.objects.alternatePath + path.segments,
            contentFormat: format,
            payload: try self.encode(records, format, path)
        )
    }

    private static func encode(
        _ records: [ResourceRecord],
        _ format: ContentFormat,
        _ base: ObjectPath
    ) throws(CommandFailure) -> [UInt8] {
        do { return try Payload.encode(records, as: format, at: base) } catch { throw .encoding(error) }
    }

    /// A single value goes as it is, several go structured.
    private static func defaultFormat(
        of records: [ResourceRecord],
        at path: ObjectPath,
        _ registration: Registration
    ) -> ContentFormat {
        guard records.count == 1, path.depth >= 3, records[0].path == path else {
            return self.structuredFormat(registration)
        }
        if case .opaque = records[0].value { return .opaque }
        return .text
    }

    /// The format for several values: one that the device names, else TLV, which version 1.0 demands of every device.
    private static func structuredFormat(_ registration: Registration) -> ContentFormat {
        let named = registration.objects.contentFormats
        for format in [ContentFormat.tlv, .senMLCBOR, .senMLJSON] where named.contains(format) { return format }
        return .tlv
    }
}

extension DeviceAnswer {
    /// Reads the body of an answer to an operation.
    init(_ response: CoAPResponse, to operation: DeviceOperation, registry: ObjectRegistry) {
        switch operation {
        case .create(let object, let instance, _, _):
            // An answer without a location made the instance that was asked for.
            let segments = response.options.texts(.locationPath)?.filter { !$0.isEmpty } ?? []
            if let path = try? ObjectPath(segments: segments.suffix(2)), path.depth == 2 {
                self = .created(path)
            } else if let instance, response.code.isSuccess {
                self = .created(ObjectPath(object, instance))
            } else {
                self = .empty
            }
        default:
            self.init(body: response, at: operation.path, registry: registry)
        }
    }

    /// Reads the body of an answer or notification.
    init(body response: CoAPResponse, at path: ObjectPath, registry: ObjectRegistry) {
        guard !response.payload.isEmpty else {
            self = .empty
            return
        }
        // Without the option a body is text for people, and so is what some devices put into an error.
        let format = response.options.contentFormat
        guard response.code.isSuccess else {
            self = .unreadable(format, response.payload)
            return
        }
        if format == .linkFormat, let paths = try? DiscoverAnswer.decode(response.payload) {
            self = .paths(paths)
        } else if let values = try? Payload.decode(response.payload, as: format ?? .text, at: path, registry: registry)
        {
            self = .values(values)
        } else {
            self = .unreadable(format, response.payload)
        }
    }
}
