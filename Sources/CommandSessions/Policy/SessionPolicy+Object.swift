public import LwM2MModel
import Primitives

extension SessionPolicy {
    /// The policy as the resources of an instance of the object.
    public func records(instance: UInt16, ids: OwnObjectIDs = .standard) -> [ResourceRecord] {
        let base = ObjectPath(ids.commandSession, instance)
        func path(_ resource: SessionResource) -> ObjectPath { base.appending(resource.rawValue) }
        var records: [ResourceRecord] = [ResourceRecord(path(.mode), .integer(Int64(self.form.rawValue)))]
        for (index, address) in self.gatewayAddresses.enumerated() {
            records.append(ResourceRecord(path(.gatewayAddresses).appending(UInt16(index)), .string(address.text)))
        }
        for (index, protected) in self.protectedPaths.enumerated() {
            let text = UTF8Text(protected.text)
            records.append(ResourceRecord(path(.protectedPaths).appending(UInt16(index)), .string(text)))
        }
        records.append(ResourceRecord(path(.breachPolicy), .string(self.breaches.text)))
        records.append(ResourceRecord(path(.suspension), .integer(Int64(self.suspension))))
        records.append(ResourceRecord(path(.gateway), .integer(Int64(self.gateway ?? 0))))
        records.append(ResourceRecord(path(.timeout), .integer(Int64(self.timeout))))
        return records
    }

    /// Reads a policy from the resources of an instance; what is missing is as in a policy that was told nothing else.
    ///
    /// - Parameter records: all resources of one instance of the object; those that are no policy are passed over.
    public init(records: [ResourceRecord]) throws(ValidationError) {
        var draft = SessionPolicyDraft()
        for record in records {
            guard let resource = record.path.resource.flatMap(SessionResource.init) else { continue }
            guard draft.take(resource, record.value) else { throw .malformed(resource: resource.rawValue) }
        }
        try self.init(
            form: draft.form,
            gateway: draft.gateway == 0 ? nil : draft.gateway,
            gatewayAddresses: draft.gatewayAddresses,
            protectedPaths: draft.protectedPaths,
            breaches: draft.breaches,
            suspension: draft.suspension,
            timeout: draft.timeout
        )
    }
}

/// A policy while it is read.
private struct SessionPolicyDraft {
    var form = SessionForm.bothIdentifiers
    var gateway: UInt16 = 0
    var gatewayAddresses: [IPAddress] = []
    var protectedPaths: [ObjectPath] = []
    var breaches = BreachPolicy.standard
    var suspension: UInt32 = 3600
    var timeout: UInt32 = 60

    /// Takes the value of a resource over; false when it cannot be read.
    mutating func take(_ resource: SessionResource, _ value: ResourceValue) -> Bool {
        switch (resource, value) {
        case (.mode, _):
            guard let form = value.asInteger.flatMap({ UInt8(exactly: $0) }).flatMap(SessionForm.init) else {
                return false
            }
            self.form = form
        case (.gatewayAddresses, .string(let text)):
            guard let address = IPAddress(parsing: text) else { return false }
            self.gatewayAddresses.append(address)
        case (.protectedPaths, .string(let text)):
            guard let path = try? ObjectPath(parsing: text) else { return false }
            self.protectedPaths.append(path)
        case (.breachPolicy, .string(let text)):
            guard let breaches = try? BreachPolicy(parsing: text) else { return false }
            self.breaches = breaches
        case (.suspension, _): return Self.read(value, into: &self.suspension)
        case (.gateway, _): return Self.read(value, into: &self.gateway)
        case (.timeout, _): return Self.read(value, into: &self.timeout)
        case (.gatewayAddresses, _), (.protectedPaths, _), (.breachPolicy, _): return false
        default: break
        }
        return true
    }

    private static func read<Number: FixedWidthInteger>(_ value: ResourceValue, into number: inout Number) -> Bool {
        guard let exact = value.asInteger.flatMap({ Number(exactly: $0) }) else { return false }
        number = exact
        return true
    }
}
