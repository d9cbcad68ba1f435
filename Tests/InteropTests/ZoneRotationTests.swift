import Foundation
import Testing

extension Interop {
    /// A rotation of names, with somebody who asks all the time.
    @Suite(
        "Zone rotation",
        .enabled(if: !NameServerKind.installed.isEmpty, "named and knotd are missing; make install brings them")
    )
    struct ZoneRotations {
        @Test("while 10,000 names rotate, no live name is ever missing", arguments: NameServerKind.installed)
        func moderate(kind: NameServerKind) throws {
            try self.rotate(10_000, kind)
        }

        @Test(
            "who asks all the time does see a name that goes and comes back, and one that leads elsewhere",
            arguments: NameServerKind.installed
        )
        func sensitivity(kind: NameServerKind) throws {
            let server = try kind.start()
            let client = try server.client()
            let name = "a.example.test"
            let addresses: [[UInt8]] = [[127, 0, 0, 1], [127, 0, 0, 2]]
            try #require(try client.publish([(name, addresses[0])]) == nil)
            let (host, port) = try server.endpoint()
            let groups = [NameSampler.Live(names: [(name, [addresses[0]])], count: 1)]
            let sampler = NameSampler(host: host, port: port, groups: groups, seed: 1)
            try waitUntil("a question while the name is away, and one while it leads elsewhere") {
                try #require(try client.publish([], removing: [name]) == nil)
                try #require(try client.publish([(name, addresses[1])]) == nil)
                let findings = sampler.findingsSoFar
                return !findings.missing.isEmpty && !findings.wrong.isEmpty
            }
            #expect(sampler.end().samples > 0)
        }

        /// `Scripts/rotation-100000` runs this one and shows what it prints.
        @Test(
            "a rotation as large as asked for",
            .enabled(if: RotationSize.asked != nil, "make rotation-100000 runs it"),
            arguments: NameServerKind.installed
        )
        func large(kind: NameServerKind) throws {
            let size = try #require(RotationSize.asked)
            try self.rotate(kind == .bind ? size.bind : size.knot, kind)
        }

        private func rotate(_ count: Int, _ kind: NameServerKind) throws {
            let server = try kind.start()
            let rotation = try ZoneRotation(of: count, at: server)
            let figures = try rotation.run()
            print(figures.lines(of: kind))
            #expect(figures.findings.missing.isEmpty)
            #expect(figures.findings.wrong.isEmpty)
            #expect(figures.findings.unanswered == 0)
            #expect(figures.findings.samples > 50)
            #expect(try rotation.isPublished())
        }
    }
}

/// How many names a large rotation has, from the environment.
private struct RotationSize {
    let bind: Int
    let knot: Int

    static let asked: RotationSize? = {
        let environment = ProcessInfo.processInfo.environment
        guard let bind = environment["STARLING_ROTATION_NAMES"].flatMap({ Int($0) }) else { return nil }
        return RotationSize(bind: bind, knot: environment["STARLING_ROTATION_NAMES_KNOT"].flatMap { Int($0) } ?? bind)
    }()
}
