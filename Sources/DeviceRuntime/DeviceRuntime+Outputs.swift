internal import ClientEngine
internal import CoAPMessages
internal import CoAPTransport
internal import DeviceStore
internal import LwM2MModel
internal import NameResolution
internal import Primitives

/// A request that waits until an answer has left.
struct HeldRequest {
    let message: CoAPRequest
    let request: RequestID
    let session: SessionID
    let place: UInt32
}

// What an engine asks for, carried out on the edges.
extension DeviceRuntime {
    func perform(_ output: ClientOutput, place: UInt32, now: MonotonicTime) {
        let device = DeviceID(index: place)
        switch output {
        case .openSession(let session, let uri, let credentials):
            self.open(session, uri, credentials, place: place, now: now)
        case .forgetName(let host):
            self.resolver?.forget(host)
        case .closeSession(let session):
            self.close(session, place: place)
        case .sendRequest(let request, let session, let message):
            self.send(message, request, on: session, place: place)
        case .sendResponse(let exchange, let response):
            self.transport.respond(to: exchange, response)
        case .sendNotification(let notification, let session, let token, let response, let isConfirmable):
            guard let handle = self.handle(of: session, place: place) else {
                self.deliver(.notificationFailed(notification, .sessionClosed), place: place)
                return
            }
            do throws(TransportError) {
                try self.transport.notify(
                    response,
                    token: token,
                    on: handle,
                    isConfirmable: isConfirmable,
                    tag: notification.rawValue
                )
            } catch {
                self.deliver(.notificationFailed(notification, .notSent), place: place)
            }
        case .store(let storage, let configuration):
            self.store(configuration, storage, place: place, now: now)
        case .execute(let exchange, let path, let arguments):
            if let onExecute = self.onExecute {
                onExecute(device, exchange, path, arguments)
            } else {
                self.deliver(.executed(exchange, .methodNotAllowed), place: place)
            }
        case .decideWrite(let exchange, let records):
            if let onDecideWrite = self.onDecideWrite {
                onDecideWrite(device, exchange, records)
            } else {
                self.deliver(.writeDecided(exchange, .changed), place: place)
            }
        case .report(let report):
            self.onReport(device, .client(report), now)
        }
    }

    func send(_ message: CoAPRequest, _ request: RequestID, on session: SessionID, place: UInt32) {
        guard !self.isAnswering else {
            self.held.append(HeldRequest(message: message, request: request, session: session, place: place))
            return
        }
        guard let handle = self.handle(of: session, place: place) else {
            self.deliver(.requestFailed(request, .sessionClosed), place: place)
            return
        }
        self.requestGoes(message, request, on: session, place: place)
        do throws(TransportError) {
            try self.transport.send(message, on: handle, tag: request.rawValue)
        } catch {
            self.deliver(.requestFailed(request, .notSent), place: place)
        }
    }

    /// Sends what waited for an answer to leave.
    func sendHeld() {
        guard !self.held.isEmpty else { return }
        let held = self.held
        self.held = []
        for waiting in held { self.send(waiting.message, waiting.request, on: waiting.session, place: waiting.place) }
    }

    private func store(
        _ configuration: StoredConfiguration,
        _ storage: StorageID,
        place: UInt32,
        now: MonotonicTime
    ) {
        guard let store = self.devices[Int(place)]?.store else {
            if self.keepsConfigurations { self.devices[Int(place)]?.kept = configuration }
            self.deliver(.stored(storage), place: place)
            return
        }
        do throws(DeviceStoreError) {
            try store.save(configuration)
            self.deliver(.stored(storage), place: place)
        } catch {
            self.onReport(DeviceID(index: place), .storageFailed(error), now)
            self.deliver(.storageFailed(storage), place: place)
        }
    }
}
