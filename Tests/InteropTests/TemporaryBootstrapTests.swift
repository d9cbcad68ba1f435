import Testing

extension Interop {
    /// Devices that derive the name of their bootstrap server, with real DNS servers and while things break.
    @Suite(
        "Temporary bootstrap URIs",
        .enabled(if: Program.starling != nil, "starling is not built; swift build builds it")
    )
    struct TemporaryBootstrap {
        @Test(
            "BIND: 2,000 devices bootstrap through rotations; every name resolves, no device reaches a wrong instance",
            .enabled(if: BindServer.isInstalled, "bind9 is missing; make install brings it")
        )
        func rotations() throws {
            let site = try BootstrapSite(
                #require(Program.starling),
                nameServer: BindServer(zone: BootstrapSite.zone),
                period: 20,
                deviceCount: 2_000
            )
            let windowBefore = try site.status().window
            let fleet = try site.fleet(devices: 2_000, rate: 60)
            #expect(fleet.waitForEnd() == 0, "\(fleet.output)\(fleet.errors)")
            try Self.expectNobodyLost(site, devices: 2_000)
            let report = try FleetReportFile(site.folder.json("report.json"))
            #expect(report.names["withoutName"] == 0)
            #expect(report.names["static"] == 0)
            #expect(report.failures.isEmpty)
            try site.waitForStatus("every bootstrap is told of") { $0.devices.completed == 2_000 }
            let status = try site.status()
            #expect(try #require(status.window) > #require(windowBefore))
            #expect(status.registry.failures == 0)
            #expect(status.instances.map(\.completed).reduce(0, +) == 2_000)
            for instance in status.instances { #expect(instance.completed > 200, "\(instance)") }
        }

        @Test(
            "BIND: an instance and the balancer are killed and the DNS server stops; nobody is lost, the logs say why",
            .enabled(if: BindServer.isInstalled, "bind9 is missing; make install brings it")
        )
        func disturbances() throws {
            let nameServer = try BindServer(zone: BootstrapSite.zone)
            let site = try BootstrapSite(
                #require(Program.starling),
                nameServer: nameServer,
                period: 30,
                deviceCount: 2_000
            )
            // Until the test has seen everybody registered.
            let fleet = try site.fleet(devices: 2_000, rate: 50, duration: "forever")
            try site.waitForStatus("a fifth is done") { $0.devices.completed >= 400 }
            site.killInstance("instance-2")
            _ = try #require(site.balancer).line(startingWith: "instance instance-2 lost")
            try site.waitForStatus("two fifths are done") { $0.devices.completed >= 800 }
            site.killBalancer()
            try site.startBalancer()
            _ = try #require(site.balancer).line(startingWith: "restored ")
            try site.waitForStatus("three fifths are done") { $0.devices.completed >= 1_200 }
            nameServer.stop()
            _ = try #require(site.balancer).line(startingWith: "registry unreachable")
            try nameServer.start()
            _ = try #require(site.balancer).line(startingWith: "registry back")
            try waitUntil("every device is registered", limit: .seconds(150)) {
                fleet.errors.contains("2000/2000 started, 2000 registered")
            }
            fleet.interrupt()
            #expect(fleet.waitForEnd() == 0, "\(fleet.output)\(fleet.errors)")
            try Self.expectNobodyLost(site, devices: 2_000)
            for name in ["instance-1", "instance-3"] {
                let log = try #require(site.instances[name]).output
                #expect(log.contains("balancer unreachable\n"), "\(name)")
                #expect(log.contains("balancer back\n"), "\(name)")
            }
        }

        @Test(
            "Knot: 300 devices bootstrap through a rotation",
            .enabled(if: KnotServer.isInstalled, "knot is missing; make install brings it")
        )
        func knot() throws {
            let site = try BootstrapSite(
                #require(Program.starling),
                nameServer: KnotServer(zone: BootstrapSite.zone),
                period: 10,
                deviceCount: 300
            )
            let fleet = try site.fleet(devices: 300, rate: 20)
            #expect(fleet.waitForEnd() == 0, "\(fleet.output)\(fleet.errors)")
            try Self.expectNobodyLost(site, devices: 300)
            let report = try FleetReportFile(site.folder.json("report.json"))
            #expect(report.names["withoutName"] == 0)
            #expect(report.failures.isEmpty)
        }

        @Test(
            "A wrong host, a wrong identity, yesterday's name, another device's name: 4.03, logged and counted",
            .enabled(if: Program.coapClient != nil, "coap-client-openssl is missing; make install brings it")
        )
        func refusals() throws {
            let site = try BootstrapSite(
                #require(Program.starling),
                nameServer: nil,
                period: 3_600,
                deviceCount: 2,
                devicesShareKey: true,
                instanceNames: ["instance-1"]
            )
            let (device, other) = ("urn:dev:starling:0", "urn:dev:starling:1")
            let own = try site.host(of: device)
            let peer = try BootstrapPeer(site, identity: device)
            #expect(try peer.ask(as: device, host: own) == "2.04")
            #expect(try peer.ask(as: device, host: "bsaaaaaaaaaaaaaaaa.example.test") == "4.03")
            #expect(try peer.ask(as: device, host: BootstrapSite.staticHost) == "4.03")
            #expect(try peer.ask(as: device, host: site.host(of: device, age: 86_400)) == "4.03")
            #expect(try peer.ask(as: device, host: site.host(of: other)) == "4.03")
            #expect(try peer.ask(as: other, host: site.host(of: other)) == "4.03")
            #expect(try peer.ask(as: other, host: own) == "4.03")

            // Without DTLS nobody proves who they are, and the right name alone opens nothing.
            let raw = try RawCoAP("coap://127.0.28.11:\(site.plainPort)", host: "127.0.28.11")
            func askPlainly(_ host: String?) -> UInt8? {
                raw.exchange(
                    code: 0x02,
                    options: (host.map { [(3, Array($0.utf8))] } ?? []) + [
                        (11, Array("bs".utf8)), (15, Array("ep=\(device)".utf8)),
                    ]
                )
            }
            #expect(askPlainly(own) == 0x83)
            #expect(askPlainly(nil) == 0x83)

            let refusals = site.instanceLog.split(separator: "\n").filter { $0.hasPrefix("refused ") }
            func count(_ line: String) -> Int { refusals.count { $0 == line } }
            #expect(count("refused \(device): unknown host") == 3)
            #expect(count("refused \(device): expired host") == 1)
            #expect(count("refused \(other): identity") == 2)
            #expect(count("refused \(device): identity") == 2)
            let counters = try site.counters(of: "instance-1")
            #expect(counters["unknownHosts"] == 3)
            #expect(counters["expiredHosts"] == 1)
            #expect(counters["identityMismatches"] == 4)
            #expect(counters["started"] == 1)
        }

        private static func expectNobodyLost(_ site: BootstrapSite, devices: Int) throws {
            let report = try FleetReportFile(site.folder.json("report.json"))
            #expect(report.bootstrapped == devices)
            #expect(report.registered == devices)
            #expect(report.failed == 0)
            #expect(report.lost == 0)
            #expect(report.failures["refused 4.03"] == nil)
            #expect(!site.instanceLog.contains("refused"), "\(site.instanceLog.suffix(2_000))")
        }
    }
}
