import CoAPMessages

/// The URI that an attempt to bootstrap is at; it stays the same from the session to Finish, whatever the clock says.
///
/// A class, so that a device that is not bootstrapping keeps one empty reference.
final class BootstrapTarget: Sendable {
    let uri: CoAPURI
    let credentials: SessionCredentials
    /// Whether the URI was derived, and not the static one.
    let isTemporary: Bool

    init(uri: CoAPURI, credentials: SessionCredentials, isTemporary: Bool) {
        self.uri = uri
        self.credentials = credentials
        self.isTemporary = isTemporary
    }
}
