public import CoAPTransport
public import NameResolution

/// Why a fleet cannot run on this machine.
public enum FleetRuntimeError: Error, Hashable, Sendable {
    /// The transport refused.
    case transport(TransportError)
    /// The resolver could not be made.
    case resolver(NameResolutionError)
    /// There are fewer local ports than devices; how many there are in all.
    case tooFewPorts(available: Int, needed: Int)
    /// The system refused a descriptor that the runtime needs for itself.
    case outOfDescriptors

    /// What is wrong, for people.
    public var message: String {
        switch self {
        case .transport(.descriptorLimit(let limit, let needed)):
            "\(needed) descriptors are needed, and this process may open \(limit)"
        case .transport(let error): "the transport could not start: \(error)"
        case .resolver(let error): "the resolver could not start: \(error)"
        case .tooFewPorts(let available, let needed):
            "\(needed) devices need a port each, and there are \(available)"
        case .outOfDescriptors: "the system has no descriptor left"
        }
    }

    /// What to do about it, for people.
    public var hint: String {
        switch self {
        case .transport(.descriptorLimit), .outOfDescriptors:
            "raise `ulimit -n`, or run slices in several processes: --devices and --first-index"
        case .transport(.unsupported): "libcoap must be built with OpenSSL: package libcoap3-dev"
        case .transport: "check the addresses, and what else runs on this machine"
        case .resolver: "check --dns and /etc/resolv.conf"
        case .tooFewPorts: "give more addresses, as in --source-address 127.0.0.2,127.0.0.3"
        }
    }
}
