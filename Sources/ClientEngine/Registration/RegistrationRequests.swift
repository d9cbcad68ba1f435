import CoAPMessages
import LwM2MModel
import Primitives

/// The requests of the registration and bootstrap interfaces.
///
/// - Source: LwM2M Transport 1.2.2, clause 6.4.2 and 6.4.1.
enum RegistrationRequests {
    static func register(
        endpoint: UTF8Text?,
        lifetime: UInt32,
        version: EnablerVersion,
        binding: UTF8Text,
        objects: [UInt8]
    ) -> CoAPRequest {
        var query: [UTF8Text] = []
        if let endpoint { query.append(Self.item("ep=", endpoint)) }
        query.append(Self.item("lt=", UTF8Text("\(lifetime)")))
        query.append(Self.item("lwm2m=", version.text))
        query += Self.bindingItems(binding, version: version)
        return CoAPRequest(.post, path: ["rd"], query: query, contentFormat: .linkFormat, payload: objects)
    }

    static func update(
        location: RegistrationLocation,
        lifetime: UInt32?,
        binding: UTF8Text?,
        version: EnablerVersion,
        objects: [UInt8]?
    ) -> CoAPRequest {
        var query: [UTF8Text] = []
        if let lifetime { query.append(Self.item("lt=", UTF8Text("\(lifetime)"))) }
        if let binding { query += Self.bindingItems(binding, version: version) }
        return CoAPRequest(
            .post,
            path: location.segments,
            query: query,
            contentFormat: objects == nil ? nil : .linkFormat,
            payload: objects ?? []
        )
    }

    static func deregister(location: RegistrationLocation) -> CoAPRequest {
        CoAPRequest(.delete, path: location.segments)
    }

    /// - Parameters:
    ///   - uri: that of the session; its host goes into Uri-Host unless it is an address.
    ///   - isTemporary: whether path and query of the URI were derived, so that the server must see them.
    static func bootstrap(
        at uri: CoAPURI,
        isTemporary: Bool,
        endpoint: UTF8Text?,
        version: EnablerVersion,
        format: ContentFormat
    ) -> CoAPRequest {
        var query = isTemporary ? uri.query : []
        if let endpoint { query.append(Self.item("ep=", endpoint)) }
        if version >= .v1_1 { query.append(Self.item("pct=", UTF8Text("\(format.rawValue)"))) }
        var request = CoAPRequest(.post, path: (isTemporary ? uri.path : []) + ["bs"], query: query)
        if !uri.hostIsAddress { request.options.append(.uriHost, uri.host.bytes) }
        return request
    }

    // Since 1.1 queue mode is a query of its own and no longer a letter of the binding.
    private static func bindingItems(_ binding: UTF8Text, version: EnablerVersion) -> [UTF8Text] {
        let queue = UInt8(ascii: "Q")
        guard version >= .v1_1, binding.bytes.contains(queue),
            let letters = UTF8Text(validating: binding.bytes.filter { $0 != queue })
        else { return [Self.item("b=", binding)] }
        return [Self.item("b=", letters), "Q"]
    }

    private static func item(_ name: UTF8Text, _ value: UTF8Text) -> UTF8Text {
        UTF8Text(validating: name.bytes + value.bytes) ?? name
    }
}
