internal import Logging

extension Logger {
    /// Writes an event: trouble as a warning, milestones as info, the rest for debugging.
    func log(_ event: LwM2MClient.Event) {
        switch event {
        case .connected(let handshake): self.debug("Connected in \(handshake).")
        case .disconnected(let error): self.warning("\(error)")
        case .bootstrapNameTried(let isStatic):
            self.info("The bootstrap server is looked for at the \(isStatic ? "static" : "temporary") name.")
        case .bootstrapHeld(let duration): self.info("The bootstrap server asks for patience: \(duration).")
        case .bootstrapStarted: self.info("Bootstrap begins.")
        case .bootstrapFinished(let duration): self.info("Bootstrapped in \(duration).")
        case .bootstrapFailed(let error): self.warning("Bootstrap failed: \(error)")
        case .registered(let server, let duration): self.info("Registered with server \(server) in \(duration).")
        case .registrationFailed(let server, let error): self.warning("Server \(server): \(error)")
        case .updated(let server): self.debug("Registration with server \(server) updated.")
        case .deregistered(let server): self.info("Deregistered from server \(server).")
        case .served(let operation, let path, let code): self.debug("\(operation) \(path): \(code).")
        case .written(let path): self.debug("\(path) written.")
        case .created(let path): self.debug("\(path) created.")
        case .deleted(let path): self.debug("\(path) deleted.")
        case .notified(let path): self.trace("\(path) notified.")
        case .commandExecuted(let code): self.info("A command was executed: \(code).")
        case .commandAborted: self.info("A command session ended before its command was executed.")
        case .breached(let what, let server, let address):
            self.warning("Server \(server)\(address.map { " at \($0)" } ?? ""): \(what).")
        case .serverSuspended(let server, let duration): self.warning("Server \(server) is left for \(duration).")
        case .storageFailed(let error): self.error("\(error)")
        case .stopped: self.info("Stopped.")
        }
    }
}
