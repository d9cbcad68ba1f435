internal import CAres
internal import Primitives

/// Receives the library's wishes about descriptors; its address is the library's context pointer.
///
/// It is a class of its own so that a channel that is being destroyed can still say which descriptors it closes.
final class DescriptorObserver {
    let onChange: (_ descriptor: Int32, _ readable: Bool, _ writable: Bool) -> Void

    init(_ onChange: @escaping (_ descriptor: Int32, _ readable: Bool, _ writable: Bool) -> Void) {
        self.onChange = onChange
    }
}

/// Makes the library's channel out of a configuration.
enum ChannelSetup {
    private static let libraryStatus = ares_library_init(ARES_LIB_INIT_ALL)

    static func makeChannel(
        _ configuration: NameResolver.Configuration,
        observer: DescriptorObserver
    ) throws(NameResolutionError) -> ares_channel {
        guard self.libraryStatus == ARES_SUCCESS else { throw .local }
        let servers = try self.parse(configuration.servers)
        var options = ares_options()
        options.flags = ARES_FLAG_NOSEARCH
        options.timeout = Int32(clamping: max(1, configuration.timeout.nanoseconds / 1_000_000))
        options.tries = Int32(clamping: max(1, configuration.tries))
        options.sock_state_cb_data = Unmanaged.passUnretained(observer).toOpaque()
        options.sock_state_cb = { context, descriptor, readable, writable in
            guard let context else { return }
            Unmanaged<DescriptorObserver>.fromOpaque(context).takeUnretainedValue()
                .onChange(descriptor, readable != 0, writable != 0)
        }
        var channel: ares_channel?
        let mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB
        guard ares_init_options(&channel, &options, mask) == ARES_SUCCESS, let channel else { throw .local }
        guard servers.isEmpty || self.set(servers, on: channel) else {
            ares_destroy(channel)
            throw .local
        }
        return channel
    }

    private static func parse(
        _ servers: [NameResolver.Configuration.Server]
    ) throws(NameResolutionError) -> [ares_addr_port_node] {
        var nodes: [ares_addr_port_node] = []
        for (index, server) in servers.enumerated() {
            guard let address = IPAddress(parsing: server.address), server.port > 0 else {
                throw .invalidServer(at: index)
            }
            var node = ares_addr_port_node()
            node.family = address.isIPv6 ? AF_INET6 : AF_INET
            node.udp_port = Int32(server.port)
            node.tcp_port = Int32(server.port)
            withUnsafeMutableBytes(of: &node.addr) { $0.copyBytes(from: address.bytes) }
            nodes.append(node)
        }
        return nodes
    }

    private static func set(_ servers: [ares_addr_port_node], on channel: ares_channel) -> Bool {
        var nodes = servers
        // The library walks a linked list and copies it.
        return nodes.withUnsafeMutableBufferPointer { buffer in
            for index in buffer.indices.dropLast() {
                buffer[index].next = buffer.baseAddress?.advanced(by: index + 1)
            }
            return ares_set_servers_ports(channel, buffer.baseAddress) == ARES_SUCCESS
        }
    }
}
