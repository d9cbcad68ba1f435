import CoAPMessages
import CoAPTransport
import DeviceRuntime
import Foundation
import NameResolution
import Primitives
import ServiceSupport

/// Reads all credentials of a server, page by page, at the start, every interval and when asked.
///
/// A reading that fails begins anew after a pause that doubles from one second to a minute. What was read counts once
/// it is whole.
final class CredentialsReader {
    private enum State {
        /// Nothing happens until this time.
        case waiting(until: MonotonicTime)
        /// The server's name is looked up; the number tells an answer from that of an earlier reading.
        case resolving
        case connecting(TransportSession)
        case asking(TransportSession)
    }

    /// Why a reading failed.
    enum Failure: Equatable {
        case nameNotFound
        case unreachable
        case refused(CoAPCode)
        /// The pages make no sense, or hold too many devices.
        case notBelievable
    }

    private static let firstPause: Duration = .seconds(1)
    private static let longestPause: Duration = .seconds(60)
    private static let pageLength = CredentialPage.maximumCount

    private let source: CredentialsSource
    private let loop: EventLoop
    private let transport: CoAPTransport
    private let resolver: NameResolver
    private var state: State
    private var read: [Credential] = []
    private var pause = CredentialsReader.firstPause
    private var reading: UInt64 = 0

    /// How often a reading failed.
    private(set) var failures: UInt64 = 0
    /// How often everything was read.
    private(set) var readings: UInt64 = 0
    /// Told everything, once it is read.
    var onRead: ([Credential]) -> Void = { _ in }
    /// Told that a reading failed, and when the next one begins.
    var onFailure: (Failure, Duration) -> Void = { _, _ in }

    init(_ source: CredentialsSource, loop: EventLoop) throws(ServiceError) {
        guard source.uri.scheme == .coaps else {
            throw ServiceError("credentials are read over DTLS only", hint: "--credentials-from coaps://HOST:PORT")
        }
        self.source = source
        self.loop = loop
        var configuration = CoAPTransport.Configuration()
        configuration.answerTimeout = .seconds(15)
        configuration.handshakeTimeout = .seconds(15)
        configuration.maximumBodySize = CredentialPage.maximumBodySize
        do { self.transport = try CoAPTransport(configuration: configuration, loop: loop) } catch {
            throw ServiceError(error, about: "reading credentials")
        }
        do { self.resolver = try NameResolver.watched(by: loop) } catch {
            throw ServiceError(.outOfResources, about: "reading credentials")
        }
        self.state = .waiting(until: loop.now)
        self.transport.onEvent = { [unowned self] in self.take($0) }
    }

    /// How many devices the reading that is under way has; nil when none is.
    var progress: Int? { if case .waiting = self.state { nil } else { self.read.count } }

    /// When ``reachDeadline(now:)`` has something to do.
    var nextDeadline: MonotonicTime? {
        switch self.state {
        case .waiting(let time): time
        case .resolving: self.resolver.nextDeadline(now: self.loop.now)
        case .connecting, .asking: nil
        }
    }

    func reachDeadline(now: MonotonicTime) {
        switch self.state {
        case .waiting(let time): if time <= now { self.begin(now: now) }
        case .resolving: self.resolver.processTimeouts(now: now)
        case .connecting, .asking: break
        }
    }

    /// Reads everything anew, now; a reading that is under way goes on.
    func readNow() {
        if case .waiting = self.state { self.state = .waiting(until: self.loop.now) }
    }

    private func begin(now: MonotonicTime) {
        self.read = []
        self.reading += 1
        let host = self.source.uri.host
        if let address = IPAddress(written: host.string) {
            self.connect(to: address)
            return
        }
        self.state = .resolving
        let reading = self.reading
        self.resolver.resolve(host, now: now) { [unowned self] result in
            guard reading == self.reading, case .resolving = self.state else { return }
            guard case .success(let name) = result, let address = name.addresses.first else {
                self.fail(.nameNotFound)
                return
            }
            self.connect(to: address)
        }
    }

    private func connect(to address: IPAddress) {
        let host = self.source.uri.host
        let isName = IPAddress(written: host.string) == nil
        do {
            let session = try self.transport.openSession(
                to: SocketAddress(address, port: self.source.uri.port),
                security: .preSharedKey(
                    PreSharedKey(identity: self.source.identity, key: self.source.key),
                    serverName: isName ? host : nil
                ),
                from: nil,
                tag: self.reading
            )
            self.state = .connecting(session)
        } catch {
            self.fail(.unreachable)
        }
    }

    private func take(_ event: TransportEvent) {
        switch (event, self.state) {
        case (.sessionConnected(let session, _), .connecting(let ours)) where session == ours:
            self.state = .asking(session)
            self.ask(on: session)
        case (.sessionClosed(let session, _, _), .connecting(let ours)) where session == ours,
            (.sessionClosed(let session, _, _), .asking(let ours)) where session == ours:
            self.fail(.unreachable)
        case (.responseReceived(let session, _, _, let response), .asking(let ours)) where session == ours:
            self.take(response, on: session)
        case (.requestFailed(let session, _, _, _), .asking(let ours)) where session == ours:
            self.fail(.unreachable)
        case (.requestReceived(let exchange, _, _, _, _), _):
            self.transport.respond(to: exchange, CoAPResponse(.notFound))
        default: break
        }
    }

    private func ask(on session: TransportSession) {
        var query: [UTF8Text] = [UTF8Text("count=\(Self.pageLength)")]
        if let last = self.read.last, let after = UTF8Text(validating: Array("after=".utf8) + last.endpoint.bytes) {
            query.append(after)
        }
        let path = self.source.uri.path + ["credentials"]
        let request = CoAPRequest(.get, path: path, query: query, accept: .json)
        do { try self.transport.send(request, on: session, tag: 1) } catch { self.fail(.unreachable) }
    }

    private func take(_ response: CoAPResponse, on session: TransportSession) {
        guard response.code == .content else {
            self.fail(.refused(response.code))
            return
        }
        guard let page = try? CredentialPage.decode(response.payload), self.isInOrder(page),
            self.read.count + page.count <= self.source.maximumDevices
        else {
            self.fail(.notBelievable)
            return
        }
        self.read += page
        if page.count == Self.pageLength { self.ask(on: session) } else { self.finish() }
    }

    /// Whether a page goes on behind what was read: names that only grow end some time.
    private func isInOrder(_ page: [Credential]) -> Bool {
        var last = self.read.last?.endpoint.bytes ?? []
        for credential in page {
            guard last.lexicographicallyPrecedes(credential.endpoint.bytes) else { return false }
            last = credential.endpoint.bytes
        }
        return true
    }

    private func finish() {
        let read = self.read
        guard Set(read.map(\.identity)).count == read.count else {
            self.fail(.notBelievable)
            return
        }
        self.rest(for: self.source.interval)
        self.pause = Self.firstPause
        self.readings += 1
        self.onRead(read)
    }

    private func fail(_ failure: Failure) {
        self.failures += 1
        let pause = self.pause
        self.pause = min(pause * 2, Self.longestPause)
        self.rest(for: pause)
        self.onFailure(failure, pause)
    }

    private func rest(for duration: Duration) {
        switch self.state {
        case .connecting(let session), .asking(let session): self.transport.closeSession(session)
        case .waiting, .resolving: break
        }
        self.read = []
        self.state = .waiting(until: self.loop.now.advanced(by: max(duration, .seconds(1))))
    }
}
