import Glibc
import LoopbackPeers
import NameResolution
import Primitives
import Testing

/// A resolver, the server it asks and the loop between them, all in the test's thread.
///
/// Time for the resolver is what the test says; the library's own time-outs are short and real.
final class ResolverHarness {
    let responder: DNSResponder
    /// Servers that are asked before ``responder``.
    private let before: [DNSResponder]
    private(set) var resolver: NameResolver?
    private var watched: Watched
    var now = MonotonicTime.zero

    final class Watched {
        var interest: [Int32: (readable: Bool, writable: Bool)] = [:]
    }

    init(
        _ configuration: NameResolver.Configuration = NameResolver.Configuration(timeout: .milliseconds(40), tries: 1),
        before: [DNSResponder] = [],
        _ rule: @escaping (DNSResponder.Question) -> DNSResponder.Reply
    ) throws {
        let watched = Watched()
        self.watched = watched
        self.before = before
        self.responder = DNSResponder(rule)
        var configuration = configuration
        configuration.servers = (before + [self.responder]).map { .init(address: "127.0.0.1", port: $0.port) }
        self.resolver = try NameResolver(configuration: configuration) { descriptor, readable, writable in
            watched.interest[descriptor] = readable || writable ? (readable, writable) : nil
        }
    }

    var openDescriptors: Int { self.watched.interest.count }

    func destroyResolver() { self.resolver = nil }

    /// Resolves one name to the end.
    func resolve(_ host: UTF8Text) throws -> Result<ResolvedName, NameResolutionError> {
        var result: Result<ResolvedName, NameResolutionError>?
        try #require(self.resolver).resolve(host, now: self.now) { result = $0 }
        self.drive { result != nil }
        return try #require(result)
    }

    /// Lets resolver and server work until the condition holds or nothing happens any more.
    func drive(until isDone: () -> Bool) {
        var quietTurns = 0
        while !isDone(), quietTurns < 400, let resolver = self.resolver {
            let servers = self.before + [self.responder]
            var polled = servers.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            for (descriptor, interest) in self.watched.interest {
                let events = (interest.readable ? POLLIN : 0) | (interest.writable ? POLLOUT : 0)
                polled.append(pollfd(fd: descriptor, events: Int16(events), revents: 0))
            }
            let ready = poll(&polled, nfds_t(polled.count), 5)
            quietTurns = ready > 0 ? 0 : quietTurns + 1
            for server in servers { server.answerWaiting() }
            for entry in polled.dropFirst(servers.count) where entry.revents != 0 {
                guard self.watched.interest[entry.fd] != nil else { continue }
                resolver.process(
                    descriptor: entry.fd,
                    readable: entry.revents & Int16(POLLIN | POLLERR | POLLHUP) != 0,
                    writable: entry.revents & Int16(POLLOUT) != 0,
                    now: self.now
                )
            }
            resolver.processTimeouts(now: self.now)
        }
    }
}

extension ResolvedName {
    var texts: [String] {
        self.addresses.map { address in
            address.isIPv6 ? Hexadecimal.encode(address.bytes) : address.bytes.map(String.init).joined(separator: ".")
        }
    }
}
