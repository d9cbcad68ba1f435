import BalancerEngine
import CoAPMessages
import Primitives
import ServiceStore
import ServiceSupport

extension BootstrapBalancer {
    /// Opens where the devices and their secrets come from; what a server told before counts until it is read anew.
    func openSecrets() throws(ServiceError) {
        switch self.configuration.secrets {
        case .derived: break
        case .file(let path): _ = self.directory.replace(with: try CredentialTable(contentsOf: path).all)
        case .server(let source):
            let reader = try CredentialsReader(source, loop: self.loop)
            reader.onRead = { [unowned self] in self.takeRead($0) }
            reader.onFailure = { [unowned self] in self.readingFailed($0, retry: $1) }
            self.reader = reader
            do throws(StoreError) {
                let known = try self.store?.knownDevices() ?? []
                _ = self.directory.replace(with: known.map(Credential.init))
            } catch {
                throw ServiceError("the state cannot be read", hint: error.hint)
            }
        }
    }

    /// Reads the devices and their secrets anew; from a server that takes a while.
    func reloadDevices() throws(ServiceError) {
        switch self.configuration.secrets {
        case .derived: throw ServiceError("derived keys have no list to read", hint: "start with another --endpoints")
        case .file(let path): self.logReload(self.take(try CredentialTable(contentsOf: path).all))
        case .server: self.reader?.readNow()
        }
    }

    private func takeRead(_ credentials: [Credential]) {
        // A server that lost its list must not make a million devices homeless.
        guard !credentials.isEmpty || self.directory.count == 0 else {
            self.log("secrets-empty", "the server lists no device: the \(self.directory.count) known ones stay")
            return
        }
        let difference = self.take(credentials)
        self.logReload(difference)
        guard let store = self.store, !difference.isEmpty else { return }
        do throws(StoreError) {
            try store.update(
                knownDevices: difference.added.map(BalancerStore.KnownDevice.init),
                removed: difference.removed
            )
        } catch {
            self.log("storage-failed", "the devices cannot be stored: \(error.hint)")
        }
    }

    private func readingFailed(_ failure: CredentialsReader.Failure, retry: Duration) {
        let cause =
            switch failure {
            case .nameNotFound: "its name has no address"
            case .unreachable: "it does not answer, or does not know the key"
            case .refused(let code): "it refuses with \(code.text)"
            case .notBelievable: "what it lists makes no sense"
            }
        self.log(
            "secrets-failed",
            "devices cannot be read from the server: \(cause); next try in \(retry.components.seconds) s",
            ["cause": cause]
        )
    }

    private func logReload(_ difference: DeviceDirectory.Difference) {
        self.log(
            "secrets-read",
            "\(self.directory.count) devices read: \(difference.added.count) new or changed, "
                + "\(difference.removed.count) gone",
            [
                "devices": "\(self.directory.count)", "changed": "\(difference.added.count)",
                "removed": "\(difference.removed.count)",
            ]
        )
    }
}

extension Credential {
    fileprivate init(_ device: BalancerStore.KnownDevice) {
        self.init(
            endpoint: device.endpoint,
            identity: device.identity,
            key: device.key,
            region: device.region,
            deviceClass: device.deviceClass
        )
    }
}

extension BalancerStore.KnownDevice {
    fileprivate init(_ credential: Credential) {
        self.init(
            endpoint: credential.endpoint,
            identity: credential.identity,
            key: credential.key,
            region: credential.region,
            deviceClass: credential.deviceClass
        )
    }
}
