internal import ClientEngine
internal import CoAPMessages
internal import CommandSessions
internal import Primitives

/// Command sessions in a stored configuration: a count, 65535 where nothing is known of them; then for each the values of
/// its instance, the identifiers of both caches, the last execution, and the superseded session.
extension StoredConfigurationFormat {
    static func write(_ sessions: [StoredCommandSession]?, to writer: inout ByteWriter) throws(DeviceStoreError) {
        guard let sessions else { return writer.write(UInt64(self.absent), byteCount: 2) }
        guard sessions.count < Int(self.absent) else { throw .tooLarge }
        try self.writeCount(sessions.count, to: &writer)
        for session in sessions {
            try self.write(session.instance.values, of: session.instance.id, to: &writer)
            try self.write(session.record.gsid, to: &writer)
            try self.write(session.record.dsid, to: &writer)
            try self.write(session.record.lastExecution, to: &writer)
            try self.write(session.record.superseded, to: &writer)
        }
    }

    private static func write(_ cache: IdentifierCache, to writer: inout ByteWriter) throws(DeviceStoreError) {
        try self.write(cache.established, to: &writer)
        try self.write(cache.provisional, to: &writer)
    }

    private static func write(
        _ session: DeviceSessionRecord.PastSession?,
        to writer: inout ByteWriter
    ) throws(DeviceStoreError) {
        try self.write(session?.pair.gsid, to: &writer)
        try self.write(session?.pair.dsid, to: &writer)
        try self.writeRun(session.map { SessionReport($0.outcome, of: $0.pair).encoded } ?? [], to: &writer)
    }

    /// An identifier, or no bytes where there is none.
    private static func write(
        _ identifier: SessionIdentifier?,
        to writer: inout ByteWriter
    ) throws(DeviceStoreError) {
        try self.writeRun(identifier?.copyBytes() ?? [], to: &writer)
    }

    static func readSessions(_ bytes: inout StoredBytes) throws(DeviceStoreError) -> [StoredCommandSession]? {
        let count = try bytes.number(2)
        guard count != UInt64(self.absent) else { return nil }
        var sessions: [StoredCommandSession] = []
        for _ in 0..<count {
            let (instance, values) = try self.readInstance(&bytes)
            var record = DeviceSessionRecord(gsid: try self.readCache(&bytes), dsid: try self.readCache(&bytes))
            record.lastExecution = try self.readPastSession(&bytes)
            record.superseded = try self.readPastSession(&bytes)
            sessions.append(StoredCommandSession(instance: HostedInstance(instance, values), record: record))
        }
        return sessions
    }

    private static func readCache(_ bytes: inout StoredBytes) throws(DeviceStoreError) -> IdentifierCache {
        IdentifierCache(established: try self.readIdentifier(&bytes), provisional: try self.readIdentifier(&bytes))
    }

    private static func readPastSession(
        _ bytes: inout StoredBytes
    ) throws(DeviceStoreError) -> DeviceSessionRecord.PastSession? {
        let gsid = try self.readIdentifier(&bytes)
        let dsid = try self.readIdentifier(&bytes)
        let report = try bytes.run()
        guard let dsid else {
            guard gsid == nil, report.isEmpty else { throw .corrupt }
            return nil
        }
        let pair = SessionPair(gsid: gsid, dsid: dsid)
        guard let report = try? SessionReport(decoding: report), report.isAbout(pair) else { throw .corrupt }
        return .init(pair: pair, outcome: report.outcome)
    }

    private static func readIdentifier(_ bytes: inout StoredBytes) throws(DeviceStoreError) -> SessionIdentifier? {
        let run = try bytes.run()
        guard !run.isEmpty else { return nil }
        guard let identifier = SessionIdentifier(bytes: run) else { throw .corrupt }
        return identifier
    }
}
