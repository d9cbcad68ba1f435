import Glibc

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
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        if Int(clamping: limit.rlim_cur) >= needed { return }
        guard Int(clamping: limit.rlim_max) >= needed else {
            throw .descriptorLimit(limit: Int(clamping: limit.rlim_max), needed: needed)
        }
        limit.rlim_cur = limit.rlim_max
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw .descriptorLimit(limit: needed - 1, needed: needed)
        }
    }
}
