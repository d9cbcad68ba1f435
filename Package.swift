// swift-tools-version: 6.1
import PackageDescription

// Switches narrow what this manifest offers; the last one is for checks:
//   STARLING_EMBEDDED=1       the client path alone, compiled as Embedded Swift
//   STARLING_LIBRARY_ONLY=1   the client library and its tests, without services, simulator and executable
//   STARLING_ONLY=A,B         the named targets, their tests and what those need, for quick rounds of work
//   STARLING_STRICT=1         a warning in a target of this package is an error
let isEmbedded = Context.environment["STARLING_EMBEDDED"] == "1"
let isLibraryOnly = isEmbedded || Context.environment["STARLING_LIBRARY_ONLY"] == "1"
let isStrict = Context.environment["STARLING_STRICT"] == "1"

/// For targets that see the system's structs through several C libraries: which of them owns `sockaddr_in` depends on
/// the order in which the compiler happens to load them, so no import can be demanded for its members.
let systemSettings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (isStrict ? [.unsafeFlags(["-warnings-as-errors"])] : [])

let houseSettings: [SwiftSetting] = systemSettings + [.enableUpcomingFeature("MemberImportVisibility")]

let clientPathSettings: [SwiftSetting] =
    isEmbedded
    ? houseSettings + [
        .enableExperimentalFeature("Embedded"),
        // A section for each function lets the linker drop what nobody calls; the outliner shares what repeats.
        .unsafeFlags([
            "-wmo", "-Osize", "-Xfrontend", "-function-sections", "-Xllvm", "-enable-machine-outliner=always", "-Xllvm",
            "-enable-linkonceodr-outlining",
        ]),
    ]
    : houseSettings

/// A target that devices link: rows 0 to 3 and DeviceRuntime.
///
/// It also compiles as Embedded Swift.
func clientPath(_ name: String, _ dependencies: [Target.Dependency] = [], folder: String = "Sources") -> Target {
    .target(name: name, dependencies: dependencies, path: "\(folder)/\(name)", swiftSettings: clientPathSettings)
}

/// A target that only ordinary Linux builds.
func hosted(
    _ name: String,
    _ dependencies: [Target.Dependency] = [],
    folder: String = "Sources",
    settings: [SwiftSetting] = houseSettings
) -> Target {
    .target(name: name, dependencies: dependencies, path: "\(folder)/\(name)", swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: dependencies,
        path: "Tests/\(name)Tests",
        exclude: exclude,
        swiftSettings: systemSettings
    )
}

var products: [Product] = [
    .library(name: "DeviceRuntime", targets: ["DeviceRuntime"])
]

var targets: [Target] = [
    // Row 0: C libraries of the system.
    .systemLibrary(
        name: "CLibCoAP",
        path: "Sources/CLibCoAP",
        pkgConfig: "libcoap-3-openssl",
        providers: [.apt(["libcoap3-dev"])]
    ),
    .systemLibrary(
        name: "CLibCrypto",
        path: "Sources/CLibCrypto",
        pkgConfig: "openssl",
        providers: [.apt(["libssl-dev"])]
    ),
    .systemLibrary(
        name: "CAres",
        path: "Sources/CAres",
        pkgConfig: "libcares",
        providers: [.apt(["libc-ares-dev"])]
    ),
    .systemLibrary(name: "CFiles", path: "Sources/CFiles"),
    // Row 1: values.
    clientPath("Primitives"),
    clientPath("CoAPMessages", ["Primitives"]),
    clientPath("LwM2MModel", ["Primitives"]),
    clientPath("LwM2MCodecs", ["CoAPMessages", "LwM2MModel", "Primitives"]),
    clientPath("BootstrapURIs", ["CoAPMessages", "LwM2MModel", "Primitives"]),
    clientPath("CommandSessions", ["CoAPMessages", "LwM2MCodecs", "LwM2MModel", "Primitives"]),
    // Row 2: engines.
    clientPath(
        "ClientEngine",
        ["BootstrapURIs", "CoAPMessages", "CommandSessions", "LwM2MCodecs", "LwM2MModel", "Primitives"]
    ),
    // Row 3: edges.
    clientPath("CryptographicHashes", ["CLibCrypto", "Primitives"]),
    clientPath("CoAPTransport", ["CLibCoAP", "CLibCrypto", "CoAPMessages", "Primitives"]),
    clientPath("NameResolution", ["CAres", "CoAPMessages", "Primitives"]),
    clientPath(
        "DeviceStore",
        ["CFiles", "ClientEngine", "CoAPMessages", "CommandSessions", "LwM2MCodecs", "LwM2MModel", "Primitives"]
    ),
    // Row 4: the driver.
    clientPath(
        "DeviceRuntime",
        [
            "ClientEngine", "CoAPMessages", "CoAPTransport", "CryptographicHashes", "DeviceStore", "LwM2MModel",
            "NameResolution", "Primitives",
        ]
    ),
]

var dependencies: [Package.Dependency] = []

if !isEmbedded {
    products += [
        .library(name: "LwM2MClient", targets: ["LwM2MClient"]),
        .library(
            name: "BootstrapURIs",
            targets: ["BootstrapURIs", "CryptographicHashes", "CoAPMessages", "Primitives"]
        ),
        .library(
            name: "BalancerEngine",
            targets: ["BalancerEngine", "BootstrapURIs", "CryptographicHashes", "CoAPMessages", "Primitives"]
        ),
        .library(name: "LwM2MCodecs", targets: ["CoAPMessages", "LwM2MCodecs", "LwM2MModel", "Primitives"]),
    ]
    dependencies += [
        // The facade reports through the logger that the embedder already has.
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0")
    ]
    targets += [
        hosted("BalancerEngine", ["BootstrapURIs", "CoAPMessages", "Primitives"]),
        hosted(
            "LwM2MClient",
            [
                "BootstrapURIs", "ClientEngine", "CoAPMessages", "CoAPTransport", "CommandSessions", "DeviceRuntime",
                "DeviceStore", "LwM2MCodecs", "LwM2MModel", "NameResolution", "Primitives",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "TestSupport",
            dependencies: ["CoAPMessages", "LwM2MModel", "Primitives"],
            path: "Tests/TestSupport",
            swiftSettings: houseSettings
        ),
        .target(
            name: "LoopbackPeers",
            dependencies: ["CoAPMessages", "CoAPTransport", "CommandSessions", "LwM2MModel", "Primitives"],
            path: "Tests/LoopbackPeers",
            swiftSettings: systemSettings
        ),
        tests("Primitives", ["Primitives", "TestSupport"]),
        tests("CoAPMessages", ["CoAPMessages", "Primitives", "TestSupport"]),
        tests("LwM2MModel", ["LwM2MModel", "Primitives", "TestSupport"]),
        tests("LwM2MCodecs", ["CoAPMessages", "LwM2MCodecs", "LwM2MModel", "Primitives", "TestSupport"]),
        tests(
            "BootstrapURIs",
            ["BootstrapURIs", "CoAPMessages", "CryptographicHashes", "LwM2MModel", "Primitives", "TestSupport"]
        ),
        tests(
            "CommandSessions",
            ["CoAPMessages", "CommandSessions", "LwM2MCodecs", "LwM2MModel", "Primitives", "TestSupport"]
        ),
        tests("CryptographicHashes", ["CryptographicHashes", "Primitives", "TestSupport"]),
        tests(
            "ClientEngine",
            [
                "BootstrapURIs", "ClientEngine", "CoAPMessages", "CommandSessions", "CryptographicHashes",
                "LwM2MCodecs",
                "LwM2MModel", "Primitives", "TestSupport",
            ]
        ),
        tests("CoAPTransport", ["CLibCoAP", "CoAPMessages", "CoAPTransport", "Primitives", "TestSupport"]),
        tests("NameResolution", ["CoAPMessages", "LoopbackPeers", "NameResolution", "Primitives", "TestSupport"]),
        tests(
            "DeviceStore",
            [
                "ClientEngine", "CoAPMessages", "CommandSessions", "DeviceStore", "LoopbackPeers", "LwM2MModel",
                "Primitives", "TestSupport",
            ]
        ),
        tests(
            "DeviceRuntime",
            [
                "BootstrapURIs", "ClientEngine", "CoAPMessages", "CoAPTransport", "CommandSessions",
                "CryptographicHashes", "DeviceRuntime",
                "DeviceStore", "LoopbackPeers", "LwM2MModel", "NameResolution", "Primitives", "TestSupport",
            ]
        ),
        tests(
            "LwM2MClient",
            [
                "CoAPMessages", "CoAPTransport", "CommandSessions", "LoopbackPeers", "LwM2MClient", "LwM2MModel",
                "Primitives",
                "TestSupport",
            ]
        ),
    ]
}

if !isLibraryOnly {
    products += [
        .executable(name: "starling", targets: ["starling"])
    ]
    dependencies += [
        // Verbs, options and help texts of the executable.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        // Latency histograms that merge across workers.
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.1.0"),
        // SQLite for the state of the services.
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.0.0"),
        // YAML of device configurations, provisioning files and fleet scenarios.
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        // Starts bootstrap server instances on demand and sees how they end.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
        // The descriptors that swift-subprocess writes their output to.
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
    ]
    let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
    let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
    let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")
    let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
    let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
    let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
    targets += [
        // Row 2: engines of the services and of the simulator.
        hosted("BootstrapEngine", ["BootstrapURIs", "CoAPMessages", "LwM2MCodecs", "LwM2MModel", "Primitives"]),
        hosted("ManagementEngine", ["CoAPMessages", "LwM2MCodecs", "LwM2MModel", "Primitives"]),
        hosted("GatewayEngine", ["CoAPMessages", "CommandSessions", "LwM2MModel", "Primitives"]),
        hosted("FleetEngine", ["ClientEngine", "CoAPMessages", "Primitives"], folder: "Simulator"),
        hosted(
            "VirtualNetwork",
            [
                "BalancerEngine", "BootstrapEngine", "BootstrapURIs", "ClientEngine", "CoAPMessages", "LwM2MModel",
                "ManagementEngine", "Primitives",
            ],
            folder: "Simulator"
        ),
        hosted(
            "PowerCut",
            [
                "BalancerEngine", "BootstrapEngine", "BootstrapURIs", "ClientEngine", "CoAPMessages", "FleetEngine",
                "LwM2MModel", "Primitives", "VirtualNetwork",
            ],
            folder: "Simulator"
        ),
        // Row 3: edges of the services.
        .systemLibrary(
            name: "CLDNS",
            path: "Sources/CLDNS",
            pkgConfig: "ldns",
            providers: [.apt(["libldns-dev"])]
        ),
        hosted(
            "NameRegistry",
            ["BalancerEngine", "CLDNS", "CoAPTransport", "Primitives"],
            settings: systemSettings
        ),
        hosted("KeyDerivation", ["CLibCrypto", "Primitives"]),
        hosted(
            "ServiceStore",
            [
                "BalancerEngine", "BootstrapEngine", "CoAPMessages", "CommandSessions", "GatewayEngine", "LwM2MCodecs",
                "LwM2MModel", "ManagementEngine", "Primitives", grdb,
            ]
        ),
        // Row 5: runtimes, and what those of the services share.
        hosted("ServiceSupport", ["CoAPMessages", "CoAPTransport", "KeyDerivation", "LwM2MModel", "Primitives"]),
        hosted(
            "BootstrapServer",
            [
                "BootstrapEngine", "BootstrapURIs", "CoAPMessages", "CoAPTransport", "CryptographicHashes",
                "LwM2MModel", "Primitives", "ServiceStore", "ServiceSupport",
            ]
        ),
        hosted(
            "ManagementService",
            [
                "CoAPMessages", "CoAPTransport", "LwM2MCodecs", "LwM2MModel", "ManagementEngine", "Primitives",
                "ServiceStore", "ServiceSupport",
            ]
        ),
        hosted(
            "ManagementServer",
            ["CoAPMessages", "CoAPTransport", "ManagementEngine", "ManagementService", "Primitives", "ServiceSupport"]
        ),
        hosted(
            "CommandGateway",
            [
                "CoAPMessages", "CoAPTransport", "CommandSessions", "CryptographicHashes", "GatewayEngine",
                "LwM2MModel",
                "ManagementEngine", "ManagementService", "Primitives", "ServiceStore", "ServiceSupport",
            ]
        ),
        hosted(
            "BootstrapBalancer",
            [
                "BalancerEngine", "BootstrapURIs", "CoAPMessages", "CoAPTransport", "CryptographicHashes",
                "DeviceRuntime", "LwM2MModel", "NameRegistry", "NameResolution", "Primitives", "ServiceStore",
                "ServiceSupport", subprocess, systemPackage,
            ]
        ),
        hosted(
            "DeviceConfiguration",
            [
                "BootstrapURIs", "CoAPMessages", "CommandSessions", "LwM2MClient", "LwM2MModel", "NameResolution",
                "Primitives", yams,
            ]
        ),
        hosted(
            "FleetScenarios",
            [
                "BootstrapURIs", "CoAPMessages", "CoAPTransport", "CommandSessions", "FleetEngine", "LwM2MModel",
                "PowerCut", "Primitives", yams,
            ],
            folder: "Simulator"
        ),
        hosted("FleetReports", ["FleetEngine", "PowerCut", "Primitives", histogram], folder: "Simulator"),
        hosted("FleetConsole", ["FleetEngine", "FleetReports", "Primitives"], folder: "Simulator"),
        hosted(
            "FleetRuntime",
            [
                "BootstrapURIs", "ClientEngine", "CLibCrypto", "CoAPMessages", "CoAPTransport", "CommandSessions",
                "DeviceRuntime", "FleetEngine", "FleetReports", "FleetScenarios", "KeyDerivation", "LwM2MModel",
                "NameResolution",
                "Primitives",
            ],
            folder: "Simulator"
        ),
        // Row 6: the executable.
        .executableTarget(
            name: "starling",
            dependencies: [
                "BalancerEngine", "BootstrapBalancer", "BootstrapEngine", "BootstrapServer", "BootstrapURIs",
                "CoAPMessages", "CoAPTransport", "CommandGateway", "CommandSessions", "CryptographicHashes",
                "DeviceConfiguration", "FleetConsole", "GatewayEngine",
                "FleetEngine", "FleetReports", "FleetRuntime", "FleetScenarios", "KeyDerivation", "LwM2MClient",
                "LwM2MCodecs", "LwM2MModel", "ManagementEngine", "ManagementServer", "ManagementService",
                "NameRegistry",
                "NameResolution", "PowerCut", "Primitives", "ServiceSupport", argumentParser, yams,
            ],
            path: "Sources/starling",
            swiftSettings: houseSettings
        ),
        tests(
            "BalancerEngine",
            ["BalancerEngine", "BootstrapURIs", "CoAPMessages", "CryptographicHashes", "Primitives", "TestSupport"]
        ),
        tests(
            "NameRegistry",
            ["BalancerEngine", "CoAPTransport", "NameRegistry", "NameResolution", "Primitives", "TestSupport"]
        ),
        tests(
            "BootstrapBalancer",
            [
                "BalancerEngine", "BootstrapBalancer", "BootstrapURIs", "CoAPMessages", "CoAPTransport",
                "CryptographicHashes", "NameRegistry", "Primitives", "ServiceStore", "ServiceSupport", "TestSupport",
            ]
        ),
        tests("KeyDerivation", ["KeyDerivation", "Primitives", "TestSupport"]),
        tests(
            "ServiceSupport",
            ["CoAPMessages", "CoAPTransport", "LwM2MModel", "Primitives", "ServiceSupport", "TestSupport"]
        ),
        tests(
            "BootstrapEngine",
            [
                "BootstrapEngine", "BootstrapURIs", "CoAPMessages", "CryptographicHashes", "LwM2MCodecs", "LwM2MModel",
                "Primitives", "TestSupport",
            ]
        ),
        tests(
            "ManagementEngine",
            ["CoAPMessages", "LwM2MCodecs", "LwM2MModel", "ManagementEngine", "Primitives", "TestSupport"]
        ),
        tests(
            "GatewayEngine",
            ["CoAPMessages", "CommandSessions", "GatewayEngine", "LwM2MModel", "Primitives", "TestSupport"]
        ),
        tests("FleetEngine", ["FleetEngine", "Primitives", "TestSupport"]),
        tests(
            "VirtualNetwork",
            [
                "BalancerEngine", "BootstrapEngine", "ClientEngine", "CoAPMessages", "LwM2MModel", "ManagementEngine",
                "Primitives",
                "TestSupport", "VirtualNetwork",
            ]
        ),
        tests(
            "PowerCut",
            [
                "BootstrapURIs", "CryptographicHashes", "FleetReports", "PowerCut", "Primitives", "TestSupport",
                "VirtualNetwork",
            ]
        ),
        tests(
            "ServiceStore",
            [
                "BootstrapEngine", "CoAPMessages", "CommandSessions", "GatewayEngine", "LwM2MCodecs", "LwM2MModel",
                "ManagementEngine", "Primitives", "ServiceStore", "TestSupport",
            ]
        ),
        tests(
            "BootstrapServer",
            [
                "BootstrapEngine", "BootstrapServer", "BootstrapURIs", "CoAPMessages", "CoAPTransport",
                "CryptographicHashes", "LwM2MCodecs", "LwM2MModel", "Primitives", "ServiceStore", "ServiceSupport",
                "TestSupport",
            ]
        ),
        tests(
            "ManagementService",
            [
                "CoAPMessages", "CoAPTransport", "LoopbackPeers", "LwM2MModel", "ManagementEngine",
                "ManagementService", "Primitives", "ServiceSupport",
            ]
        ),
        tests(
            "ManagementServer",
            ["CoAPMessages", "CoAPTransport", "LoopbackPeers", "ManagementServer", "Primitives", "ServiceSupport"]
        ),
        tests(
            "CommandGateway",
            [
                "ClientEngine", "CoAPMessages", "CoAPTransport", "CommandGateway", "CommandSessions",
                "CryptographicHashes", "DeviceRuntime", "GatewayEngine", "LoopbackPeers", "LwM2MModel",
                "ManagementService", "Primitives", "ServiceSupport",
            ]
        ),
        tests(
            "DeviceConfiguration",
            ["CommandSessions", "DeviceConfiguration", "LwM2MClient", "LwM2MModel", "Primitives", "TestSupport"]
        ),
        tests(
            "FleetScenarios",
            [
                "BootstrapURIs", "CoAPMessages", "CoAPTransport", "CommandSessions", "FleetEngine", "FleetScenarios",
                "LwM2MModel", "PowerCut", "Primitives", "TestSupport",
            ]
        ),
        tests("FleetReports", ["FleetEngine", "FleetReports", "PowerCut", "Primitives", "TestSupport"]),
        tests("FleetConsole", ["FleetConsole", "FleetEngine", "FleetReports", "Primitives", "TestSupport"]),
        tests(
            "FleetRuntime",
            [
                "BootstrapURIs", "ClientEngine", "CoAPMessages", "CoAPTransport", "CommandSessions",
                "CryptographicHashes", "FleetEngine", "FleetReports", "FleetRuntime", "FleetScenarios",
                "KeyDerivation", "LoopbackPeers", "LwM2MModel", "Primitives", "TestSupport",
            ]
        ),
        tests(
            "Interop",
            ["BalancerEngine", "CoAPMessages", "CoAPTransport", "NameRegistry", "Primitives", "TestSupport"],
            exclude: ["Peers"]
        ),
    ]
}

// A product needs all its targets, so a narrow build offers none: `swift build --target` and `swift test` do.
if let names = Context.environment["STARLING_ONLY"], !names.isEmpty {
    var wanted = Set(names.split(separator: ",").flatMap { [String($0), "\($0)Tests"] })
    var count = 0
    while count != wanted.count {
        count = wanted.count
        for target in targets where wanted.contains(target.name) {
            for case .byNameItem(let name, _) in target.dependencies { wanted.insert(name) }
        }
    }
    targets.removeAll { !wanted.contains($0.name) }
    products = []
}

let package = Package(
    name: "starling",
    products: products,
    dependencies: dependencies,
    targets: targets
)
