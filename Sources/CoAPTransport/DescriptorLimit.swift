import CLibCoAP

extension CoAPTransport {
    /// Raises the process's soft descriptor limit to what sessions need.
    ///
    /// - Parameters:
    ///   - sessions: how many sessions will be open at once.
    ///   - sessionsPerContext: as in ``Configuration/sessionsPerContext``.
    /// - Throws: ``TransportError/descriptorLimit(limit:needed:)`` when the hard limit is too low.
    public static func checkDescriptorLimit(sessions: Int, sessionsPerContext: Int = 256) throws(TransportError) {
        let contexts = sessions / max(1, sessionsPerContext) + 2
        // One descriptor for a session, two for a context, and some for files, names and the process itself.
        let needed = sessions + 2 * contexts + 64
        var soft: UInt64 = 0
        var hard: UInt64 = 0
        guard starling_descriptor_limit(&soft, &hard) == 0 else { return }
        if Int(clamping: soft) >= needed { return }
        guard Int(clamping: hard) >= needed else {
            throw .descriptorLimit(limit: Int(clamping: hard), needed: needed)
        }
        guard starling_raise_descriptor_limit(hard, hard) == 0 else {
            throw .descriptorLimit(limit: needed - 1, needed: needed)
        }
    }
}
