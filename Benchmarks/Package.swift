// swift-tools-version: 6.1
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "starling", path: "..")],
    targets: [
        .executableTarget(
            name: "AllocationBenchmark",
            dependencies: [
                .product(name: "BalancerEngine", package: "starling"),
                // Its C modules bring the allocator's statistics.
                .product(name: "DeviceRuntime", package: "starling"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "MicroBenchmark",
            dependencies: [
                .product(name: "BootstrapURIs", package: "starling"),
                .product(name: "DeviceRuntime", package: "starling"),
                .product(name: "LwM2MCodecs", package: "starling"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "TransportBenchmark",
            dependencies: [.product(name: "DeviceRuntime", package: "starling")],
            swiftSettings: settings
        ),
    ]
)
