// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that nobody who uses the library builds its examples.
//
//   Scripts/tiny-device builds TinyDevice as Embedded Swift and runs it; STARLING_EMBEDDED=1 selects it here.
//   swift build --package-path Examples builds Thermometer for ordinary Linux.
let isEmbedded = Context.environment["STARLING_EMBEDDED"] == "1"

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

var targets: [Target] = []

if isEmbedded {
    var linkerFlags = ["-Xlinker", "--gc-sections", "-Xlinker", "--icf=all"]
    // Where the toolchain keeps its Embedded libraries: Unicode tables, which some of String needs.
    if let libraries = Context.environment["STARLING_EMBEDDED_LIBRARIES"] {
        linkerFlags += ["-L\(libraries)", "-lswiftUnicodeDataTables"]
    }
    targets.append(
        .executableTarget(
            name: "TinyDevice",
            dependencies: [.product(name: "DeviceRuntime", package: "starling")],
            path: "TinyDevice",
            swiftSettings: settings + [
                .enableExperimentalFeature("Embedded"),
                .unsafeFlags([
                    "-wmo", "-Osize", "-parse-as-library", "-Xfrontend", "-function-sections", "-Xllvm",
                    "-enable-machine-outliner=always",
                ]),
            ],
            linkerSettings: [.linkedLibrary("m"), .unsafeFlags(linkerFlags)]
        )
    )
} else {
    targets.append(
        .executableTarget(
            name: "Thermometer",
            dependencies: [.product(name: "LwM2MClient", package: "starling")],
            path: "Thermometer",
            swiftSettings: settings
        )
    )
}

let package = Package(
    name: "examples",
    dependencies: [.package(name: "starling", path: "..")],
    targets: targets
)
