/// The objects that this library knows, as the OMA registry defines them.
///
/// A definition describes what a client hosts or a server meets; it holds no values.
public enum Objects {}

extension ObjectRegistry {
    /// Every object of ``Objects``.
    public static let standard = ObjectRegistry([
        Objects.security, Objects.server, Objects.device, Objects.temperature,
    ])
}
