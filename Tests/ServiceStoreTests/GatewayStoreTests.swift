import CoAPMessages
import CommandSessions
import Foundation
import GatewayEngine
import LwM2MModel
import Primitives
import ServiceStore
import Testing

@Suite struct GatewayStoreTests {
    let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private static let time = WallTime(secondsSinceEpoch: 1_000_000)

    private static func identifier(_ byte: Int) throws -> SessionIdentifier {
        try #require(SessionIdentifier(bytes: Array(repeating: UInt8(byte), count: 16)))
    }

    private static func command(_ number: Int, _ endpoint: UTF8Text = "dev1") throws -> GatewayCommand {
        GatewayCommand(
            id: GatewayCommandID(rawValue: UInt64(number)),
            endpoint: endpoint,
            command: try #require(
                SessionCommand(
                    .write,
                    ObjectPath(3303, 0, 5601),
                    contentFormat: .text,
                    payload: [49, UInt8(number & 255)]
                )
            ),
            user: "alice"
        )
    }

    private static func entry(_ number: Int, _ endpoint: UTF8Text = "dev1") throws -> AuditEntry {
        AuditEntry(
            endpoint: endpoint,
            what: .executed(.changed),
            command: GatewayCommandID(rawValue: UInt64(number)),
            summary: CommandSummary(try Self.command(number).command),
            user: "alice"
        )
    }

    /// Changes of every kind, in steps as a gateway makes them.
    private static func steps() throws -> [[GatewayChange]] {
        let offered = GatewaySessionRecord(
            gsid: IdentifierCache(provisional: try Self.identifier(1)),
            stage: .offered
        )
        let confirmed = GatewaySessionRecord(
            gsid: IdentifierCache(established: try Self.identifier(1)),
            dsid: IdentifierCache(established: try Self.identifier(2), provisional: try Self.identifier(3)),
            stage: .confirmed
        )
        let first = GatewayCommandID(rawValue: 1)
        return [
            [.commandSaved(try Self.command(1)), .audited(AuditEntry(endpoint: "dev1", what: .given))],
            [.commandSaved(try Self.command(2)), .commandSaved(try Self.command(3, "dev2"))],
            [.sessionSaved(endpoint: "dev1", offered, command: first)],
            [.sessionSaved(endpoint: "dev1", confirmed, command: first)],
            [.sessionSaved(endpoint: "dev2", offered, command: nil), .standingSaved(endpoint: "dev2", [.blocked])],
            [
                .sessionSaved(endpoint: "dev1", GatewaySessionRecord(dsid: confirmed.dsid), command: nil),
                .commandFinished(first, .done(.changed)), .audited(try Self.entry(1)),
            ],
            [.standingSaved(endpoint: "dev2", [.alarmed, .suspended]), .standingSaved(endpoint: "dev1", .alarmed)],
            [.sessionForgotten(endpoint: "dev2"), .standingSaved(endpoint: "dev2", [])],
            [.commandFinished(GatewayCommandID(rawValue: 2), .notDone(.refused(.forbidden)))], [],
        ]
    }

    private func ordered(_ snapshot: GatewaySnapshot) -> GatewaySnapshot {
        var snapshot = snapshot
        snapshot.sessions.sort { $0.endpoint.bytes.lexicographicallyPrecedes($1.endpoint.bytes) }
        snapshot.standings.sort { $0.endpoint.bytes.lexicographicallyPrecedes($1.endpoint.bytes) }
        return snapshot
    }

    @Test func afterEveryStepItHoldsWhatWasStored() throws {
        let path = self.folder.file("state.sqlite")
        var expected = GatewaySnapshot()
        for changes in try Self.steps() {
            expected.apply(changes)
            do {
                let store = try GatewayStore(path: path)
                try store.apply(changes, at: Self.time)
                #expect(self.ordered(try store.all()) == self.ordered(expected))
            }
            #expect(self.ordered(try GatewayStore(path: path).all()) == self.ordered(expected))
        }
        #expect(expected.commands.count == 1)
        #expect(try GatewayStore(path: path).lastCommandID() == GatewayCommandID(rawValue: 3))
    }

    @Test func aNewFileHoldsNothing() throws {
        let store = try GatewayStore(path: self.folder.file("state.sqlite"))
        #expect(try store.all() == GatewaySnapshot())
        #expect(try store.lastCommandID() == nil)
        #expect(try store.commands(limit: 10).isEmpty)
        #expect(try store.audit(limit: 10).isEmpty)
        #expect(try store.command(GatewayCommandID(rawValue: 1)) == nil)
    }

    @Test func changesAreMadeTogetherOrNotAtAll() throws {
        let store = try GatewayStore(path: self.folder.file("state.sqlite"))
        try store.apply([.commandSaved(try Self.command(1))], at: Self.time)
        #expect(throws: StoreError.self) {
            try store.apply([.commandSaved(try Self.command(2)), .commandSaved(try Self.command(1))], at: Self.time)
        }
        #expect(try store.all().commands.map(\.id.rawValue) == [1])
    }

    @Test func aCommandThatEndedIsKeptWithoutWhatItWrote() throws {
        let path = self.folder.file("state.sqlite")
        let store = try GatewayStore(path: path)
        let command = try Self.command(7)
        try store.apply([.commandSaved(command)], at: Self.time)
        #expect(try store.command(command.id)?.outcome == nil)
        try store.apply(
            [.commandFinished(command.id, .notDone(.unanswered))],
            at: WallTime(secondsSinceEpoch: 1_000_060)
        )
        // An outcome is final.
        try store.apply([.commandFinished(command.id, .unknown)], at: Self.time)
        let stored = try #require(try store.command(command.id))
        #expect(stored.summary == CommandSummary(command.command))
        #expect(stored.endpoint == "dev1" && stored.user == "alice")
        #expect(stored.given == Self.time)
        #expect(stored.outcome == .notDone(.unanswered))
        #expect(stored.finished == WallTime(secondsSinceEpoch: 1_000_060))
        #expect(try store.all().commands.isEmpty)
    }

    @Test func ofCommandsThatEndedTheNewestAreKept() throws {
        let store = try GatewayStore(path: self.folder.file("state.sqlite"), maximumFinishedCommands: 3)
        for number in 1...10 { try store.apply([.commandSaved(try Self.command(number))], at: Self.time) }
        for number in [10, 1, 2, 3, 4] {
            try store.apply(
                [.commandFinished(GatewayCommandID(rawValue: UInt64(number)), .unknown)],
                at: Self.time
            )
        }
        #expect(try store.commands(limit: 100).map(\.id.rawValue) == [9, 8, 7, 6, 5, 4, 3, 2])
        #expect(try store.all().commands.count == 5)
        // The number of one that is gone is not given again.
        #expect(try store.lastCommandID()?.rawValue == 10)
    }

    @Test func ofTheAuditLogTheNewestLinesAreKept() throws {
        let store = try GatewayStore(path: self.folder.file("state.sqlite"), maximumAuditEntries: 5)
        try store.apply(try (1...4).map { .audited(try Self.entry($0)) }, at: Self.time)
        #expect(try store.audit(limit: 100).count == 4)
        try store.apply(try (5...7).map { .audited(try Self.entry($0)) }, at: Self.time)
        #expect(try store.audit(limit: 100).map(\.sequence) == [7, 6, 5, 4, 3])
    }

    @Test func theAuditLogIsReadPageByPageAndByEndpoint() throws {
        let store = try GatewayStore(path: self.folder.file("state.sqlite"))
        let entries = try (1...20).map { try Self.entry($0, $0.isMultiple(of: 2) ? "even" : "odd") }
        try store.apply(entries.map { .audited($0) }, at: Self.time)
        var read: [GatewayStore.StoredAuditEntry] = []
        while true {
            let page = try store.audit(of: "even", before: read.last?.sequence, limit: 3)
            guard !page.isEmpty else { break }
            read += page
        }
        #expect(read.map(\.entry) == entries.filter { $0.endpoint == "even" }.reversed())
        #expect(read.allSatisfy { $0.time == Self.time })
        #expect(try store.audit(before: 20, limit: 2).map(\.sequence) == [19, 18])
        #expect(try store.audit(of: "none", limit: 2).isEmpty)
        try store.apply(
            [.commandSaved(try Self.command(1)), .commandSaved(try Self.command(2, "even"))],
            at: Self.time
        )
        #expect(try store.commands(of: "even", limit: 5).map(\.id.rawValue) == [2])
        #expect(try store.commands(before: GatewayCommandID(rawValue: 2), limit: 5).map(\.id.rawValue) == [1])
    }

    @Test func aLineThatMakesNoSenseHidesNoOther() throws {
        let path = self.folder.file("state.sqlite")
        let name = "somebody"
        do {
            let store = try GatewayStore(path: path)
            for number in 1...6 {
                let endpoint: UTF8Text = number > 3 ? UTF8Text(name) : "dev1"
                let change = GatewayChange.audited(try Self.entry(number, endpoint))
                try store.apply([change, .commandSaved(try Self.command(number, endpoint))], at: Self.time)
            }
        }
        // Names that are no text, as only a newer version might write.
        var file = try Data(contentsOf: URL(fileURLWithPath: path))
        while let range = file.range(of: Data(name.utf8)) {
            file.replaceSubrange(range, with: Data(repeating: 0xFF, count: name.utf8.count))
        }
        try file.write(to: URL(fileURLWithPath: path))
        let store = try GatewayStore(path: path)
        #expect(try store.audit(limit: 2).map(\.sequence) == [3, 2])
        #expect(try store.audit(before: 2, limit: 2).map(\.sequence) == [1])
        #expect(try store.commands(limit: 2).map(\.id.rawValue) == [3, 2])
        #expect(try store.commands(limit: 0).isEmpty)
    }

    @Test func nobodyElseMayReadTheFile() throws {
        let store = try GatewayStore(path: self.folder.file("state.sqlite"))
        try store.apply([.commandSaved(try Self.command(1))], at: Self.time)
        for name in try FileManager.default.contentsOfDirectory(atPath: self.folder.path) {
            let mode = try FileManager.default.attributesOfItem(atPath: self.folder.file(name))[.posixPermissions]
            #expect(mode as? Int == 0o600, "\(name)")
        }
        _ = store
    }

    @Test func aFileThatOthersMightReadIsTheirsNoMore() throws {
        let path = self.folder.file("state.sqlite")
        do { _ = try GatewayStore(path: path) }
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let store = try GatewayStore(path: path)
        try store.apply([.commandSaved(try Self.command(1))], at: Self.time)
        for name in ["state.sqlite", "state.sqlite-wal"] {
            let mode = try FileManager.default.attributesOfItem(atPath: self.folder.file(name))[.posixPermissions]
            #expect(mode as? Int == 0o600, "\(name)")
        }
        _ = store
    }

    @Test func whatIsSupersededIsNotLeftInTheFile() throws {
        let path = self.folder.file("state.sqlite")
        let secret = Array("what a command writes and nobody keeps".utf8)
        do {
            let store = try GatewayStore(path: path)
            for number in 1...200 {
                let record = GatewaySessionRecord(
                    gsid: IdentifierCache(established: try Self.identifier(number)),
                    dsid: IdentifierCache(established: try Self.identifier(number))
                )
                let endpoint = UTF8Text("dev\(number)")
                try store.apply([.sessionSaved(endpoint: endpoint, record, command: nil)], at: Self.time)
                let write = SessionCommand(.write, ObjectPath(3303, 0, 5601), contentFormat: .text, payload: secret)
                let id = GatewayCommandID(rawValue: UInt64(number))
                let command = GatewayCommand(id: id, endpoint: endpoint, command: try #require(write), user: "anna")
                try store.apply([.commandSaved(command)], at: Self.time)
                try store.apply([.commandFinished(id, .unknown)], at: Self.time)
            }
            // The first is superseded, the others are forgotten.
            let last = GatewaySessionRecord(gsid: IdentifierCache(established: try Self.identifier(201)))
            try store.apply([.sessionSaved(endpoint: "dev1", last, command: nil)], at: Self.time)
            for number in 2...200 {
                try store.apply([.sessionForgotten(endpoint: UTF8Text("dev\(number)"))], at: Self.time)
            }
        }
        let file = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(file.range(of: Data(try Self.identifier(201).copyBytes())) != nil)
        for number in 1...200 {
            #expect(file.range(of: Data(try Self.identifier(number).copyBytes())) == nil, "\(number)")
        }
        #expect(file.range(of: Data(secret)) == nil)
    }

    /// A child takes commands 1, 2, 3 … and ends each, noting what was acknowledged, until it is killed somewhere.
    @Test(arguments: 0..<5) func killedAtAnyMomentNothingAcknowledgedIsLost(_ round: Int) async throws {
        let path = self.folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, round = round as Int] in
            let store = try GatewayStore(path: path + "/state.sqlite")
            let notes = open(path + "/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
            Child.killAfter(microseconds: 5000 + UInt32(round) * 7100)
            for number in 1... {
                let command = try GatewayStoreTests.command(number)
                try store.apply([.commandSaved(command)], at: GatewayStoreTests.time)
                _ = write(notes, [1], 1)
                let record = GatewaySessionRecord(
                    gsid: IdentifierCache(established: try GatewayStoreTests.identifier(number & 255))
                )
                try store.apply(
                    [
                        .sessionSaved(endpoint: "dev1", record, command: nil), .commandFinished(command.id, .unknown),
                    ],
                    at: GatewayStoreTests.time
                )
                _ = write(notes, [2], 1)
            }
        }
        let notes = (try? Data(contentsOf: URL(fileURLWithPath: path + "/acknowledged"))) ?? Data()
        let taken = notes.count { $0 == 1 }
        let ended = notes.count { $0 == 2 }
        let store = try GatewayStore(path: path + "/state.sqlite")
        let commands = try store.commands(limit: 100_000)
        #expect(commands.count == taken || commands.count == taken + 1)
        let finished = commands.count { $0.outcome == .unknown }
        #expect(finished == ended || finished == ended + 1)
        // The record and the end of its command are there together.
        let expected = finished == 0 ? nil : try Self.identifier(finished & 255)
        #expect(try store.all().sessions.first?.record.gsid.established == expected)
    }
}
