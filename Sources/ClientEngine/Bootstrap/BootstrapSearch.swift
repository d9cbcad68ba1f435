import BootstrapURIs
import CoAPMessages
import Primitives

/// What a device with temporary names keeps beside its profile, and any device while it bootstraps.
struct BootstrapSearch: Sendable {
    var names = BootstrapNameMachine()
    /// Where the attempt connects; nil until something is derived, and when there is none.
    var target: BootstrapTarget?
    /// The URI of the present window, where the profile wants one derived in every period.
    var prepared: PreparedURI?
}

/// The URI that an attempt to bootstrap is at; it stays the same from the session to Finish, whatever the clock says.
struct BootstrapTarget: Sendable {
    let uri: CoAPURI
    let credentials: SessionCredentials
    /// Whether the URI was derived, and not the static one.
    let isTemporary: Bool
}

/// A temporary URI that was derived before anybody needs it.
struct PreparedURI: Sendable {
    let window: TimeWindow
    let uri: CoAPURI
    /// When the window is over.
    let until: MonotonicTime
}
