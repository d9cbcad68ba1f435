import CoAPMessages

/// Where an attempt to bootstrap looks for its server.
struct BootstrapSearch: Sendable {
    var names = BootstrapNameMachine()
    /// Where it connects; nil until something is derived.
    var target: BootstrapTarget?
}

/// The URI that an attempt to bootstrap is at; it stays the same from the session to Finish, whatever the clock says.
struct BootstrapTarget: Sendable {
    let uri: CoAPURI
    let credentials: SessionCredentials
    /// Whether the URI was derived, and not the static one.
    let isTemporary: Bool
}
