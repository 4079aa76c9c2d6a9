// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// Settings of every Swift target.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

/// Targets on the audio path; here a protocol-typed parameter is an error too.
let audioPathSettings = settings + [.treatWarning("ExistentialType", as: .error)]

/// The engine, which plans with arrays and runs without: no protocol-typed parameter either.
let engineSettings = settings + [.treatWarning("ExistentialType", as: .error)]

let testSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")

/// A system library that Debian packages with a pkg-config file.
func system(_ name: String, pkgConfig: String, debian: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([debian])])
}

// The rows of docs/architecture.md, top to bottom: imports point downwards only.
let package = Package(
  name: "qdenoise",
  products: [
    .executable(name: "qdenoise", targets: ["qdenoise"]),
    .executable(name: "denoisectl", targets: ["denoisectl"]),
    .executable(name: "qdenoise-tray", targets: ["qdenoise-tray"]),
    // What other packages may use; docs/library.md says what of it is stable.
    .library(name: "QuantizedInference", targets: ["QuantizedInference"]),
    .library(name: "QuantizedKernels", targets: ["Kernels"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    // Programs.
    .executableTarget(
      name: "qdenoise",
      dependencies: [
        "AudioPath", "Control", "Denoise", "AudioHost", "ModelStore", "Signal", "Kernels", "Files",
        "UserMessages",
        "CSystemd", "CLinux", histogram,
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "denoisectl",
      dependencies: [
        "Control", "Denoise", "AudioHost", "ModelStore", "Quantizer", "TFLite", "Engine", "Plot",
        "ONNX", "Scoring", "Client", "Signal", "Kernels", "Files", "Memory", argumentParser,
      ],
      swiftSettings: settings),

    // The icon in the panel; it needs no toolkit.
    .executableTarget(
      name: "qdenoise-tray",
      dependencies: ["Client", "Control", "UserMessages", "CSystemd"], swiftSettings: settings),

    // What the documentation of the library begins with.
    .executableTarget(
      name: "first-program", dependencies: ["QuantizedInference"], path: "Examples/FirstProgram",
      swiftSettings: settings),

    // The engine and what goes with it as one module.
    .target(
      name: "QuantizedInference",
      dependencies: ["Engine", "TFLite", "ONNX", "Quantizer", "Kernels", "Files"],
      swiftSettings: settings),

    // The audio thread.
    .target(
      name: "AudioPath",
      dependencies: [
        "Denoise", "AudioHost", "Control", "Signal", "Memory", "UserMessages", "CLinux",
      ],
      swiftSettings: audioPathSettings),

    // Where a model comes from.
    .target(
      name: "ModelStore",
      dependencies: ["Denoise", "TFLite", "Engine", "Files", "UserMessages", "CEmbeddedModel"],
      swiftSettings: settings),

    // What the programs for people share.
    .target(
      name: "Client",
      dependencies: ["Control", "AudioHost", "Files", "Kernels", "UserMessages", "CLinux"],
      swiftSettings: settings),

    .target(name: "ONNX", dependencies: ["Engine"], swiftSettings: settings),
    .target(name: "Scoring", dependencies: ["Kernels"], swiftSettings: settings),
    .target(
      name: "Plot", dependencies: ["Signal", "Kernels", "CPNG", "Memory"], swiftSettings: settings),
    .target(
      name: "Denoise",
      dependencies: ["Engine", "Signal", "Kernels", "Memory", "UserSettings", "UserMessages"],
      swiftSettings: audioPathSettings),
    .target(
      name: "TFLite", dependencies: ["Engine", "Files", "UserMessages"], swiftSettings: settings),
    .target(name: "Quantizer", dependencies: ["Engine", "Kernels"], swiftSettings: settings),

    .target(
      name: "Engine", dependencies: ["Kernels", "Memory", "Files", "UserMessages", "CThreadPool"],
      swiftSettings: engineSettings),
    .target(
      name: "Signal", dependencies: ["Kernels", "Memory", "CSampleRate"],
      swiftSettings: audioPathSettings),

    .target(
      name: "Kernels", dependencies: ["CKernels", "Memory"], swiftSettings: audioPathSettings),
    .target(
      name: "AudioHost",
      dependencies: [
        "Files", "UserMessages", "CPulse", "CPipeWire", "CALSA", "CSndFile", "CLinux", "Memory",
      ],
      swiftSettings: audioPathSettings),

    .target(name: "Memory", swiftSettings: audioPathSettings),
    .target(name: "Files", dependencies: ["UserMessages", "CLinux"], swiftSettings: settings),
    .target(
      name: "Control", dependencies: ["UserSettings", "UserMessages", "CSystemd"],
      swiftSettings: settings),
    .target(name: "UserSettings", swiftSettings: audioPathSettings),
    .target(name: "UserMessages", swiftSettings: settings),

    // C.
    .target(name: "CKernels"),
    .target(name: "CThreadPool"),
    .target(name: "CEmbeddedModel"),
    .systemLibrary(name: "CLinux"),
    // pkg-config's flags for it hold -pthread, of which SwiftPM warns at every build.
    .systemLibrary(name: "CPulse"),
    // Its headers are not where compilers look; pkg-config's flags hold -D_REENTRANT, of which SwiftPM
    // warns at every build.
    .target(name: "CPipeWire"),
    system("CALSA", pkgConfig: "alsa", debian: "libasound2-dev"),
    system("CSystemd", pkgConfig: "libsystemd", debian: "libsystemd-dev"),
    system("CSndFile", pkgConfig: "sndfile", debian: "libsndfile1-dev"),
    system("CSampleRate", pkgConfig: "samplerate", debian: "libsamplerate0-dev"),
    system("CPNG", pkgConfig: "libpng", debian: "libpng-dev"),

    // Tests.
    .target(name: "CAllocationCount", path: "Tests/Support/CAllocationCount"),
    .target(name: "Seeded", path: "Tests/Support/Seeded", swiftSettings: testSettings),
    .target(
      name: "TestSupport", dependencies: ["CPulse"], path: "Tests/Support/TestSupport",
      swiftSettings: testSettings),
    .testTarget(
      name: "KernelsTests", dependencies: ["Kernels", "Memory", "Seeded"], exclude: ["cross"],
      swiftSettings: testSettings),
    .testTarget(
      name: "TFLiteTests", dependencies: ["TFLite", "Engine", "EngineSupport"],
      swiftSettings: testSettings),
    .target(
      name: "EngineSupport",
      dependencies: ["Engine", "TFLite", "Denoise", "Kernels", "CAllocationCount", "Seeded"],
      path: "Tests/Support/EngineSupport", swiftSettings: testSettings),
    .executableTarget(
      name: "sanitizer-check", dependencies: ["EngineSupport"],
      path: "Tests/Support/SanitizerCheck", swiftSettings: testSettings),
    .testTarget(
      name: "EngineTests",
      dependencies: [
        "Engine", "TFLite", "Kernels", "Memory", "Files", "CAllocationCount", "EngineSupport",
        "Seeded",
      ],
      swiftSettings: testSettings),
    .testTarget(
      name: "QuantizerTests", dependencies: ["Quantizer", "TFLite", "Engine", "Denoise"],
      swiftSettings: testSettings),
    .testTarget(
      name: "SignalTests",
      dependencies: ["Signal", "Kernels", "Memory", "CAllocationCount", "Seeded"],
      swiftSettings: testSettings),
    .testTarget(
      name: "DenoiseTests",
      dependencies: [
        "Denoise", "ModelStore", "Engine", "Files", "Signal", "Kernels", "Memory",
        "CAllocationCount", "Seeded", "TestSupport",
      ],
      exclude: ["realtime"],
      swiftSettings: testSettings),
    .testTarget(
      name: "ONNXTests", dependencies: ["ONNX", "Quantizer", "Engine", "TestSupport"],
      swiftSettings: testSettings),
    .testTarget(name: "ScoringTests", dependencies: ["Scoring"], swiftSettings: testSettings),
    .testTarget(name: "PlotTests", dependencies: ["Plot"], swiftSettings: testSettings),
    .testTarget(name: "FilesTests", dependencies: ["Files"], swiftSettings: testSettings),
    .testTarget(
      name: "AudioHostTests", dependencies: ["AudioHost", "Files", "UserMessages", "TestSupport"],
      swiftSettings: testSettings),
    .testTarget(
      name: "AudioPathTests",
      dependencies: [
        "AudioPath", "AudioHost", "Control", "Denoise", "ModelStore", "Signal", "CAllocationCount",
        "TestSupport",
      ],
      swiftSettings: testSettings),
    .testTarget(
      name: "DaemonTests",
      dependencies: ["qdenoise", "AudioHost", "Control", "UserMessages", "TestSupport"],
      swiftSettings: testSettings),
    .target(
      name: "ControlSupport", dependencies: ["Control", "UserMessages"],
      path: "Tests/Support/ControlSupport",
      swiftSettings: testSettings),
    .testTarget(
      name: "ControlTests",
      dependencies: ["Control", "UserMessages", "ControlSupport", "TestSupport"],
      swiftSettings: testSettings),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "denoisectl", "qdenoise", "first-program", "AudioHost", "Client", "Control", "Denoise",
        "Engine", "Files", "Kernels", "ModelStore", "TFLite", "UserMessages", "CAllocationCount",
        "ControlSupport", "Seeded", "TestSupport",
      ],
      swiftSettings: testSettings),
    .testTarget(
      name: "SystemTests",
      dependencies: ["qdenoise", "denoisectl", "Control", "UserMessages", "TestSupport"],
      swiftSettings: testSettings),
  ],
  cLanguageStandard: .gnu17
)

// The window is built where libadwaita is. SwiftPM keeps what a manifest said for as long as the
// environment stays the same, so `make` says it in QDENOISE_WINDOW, which is "yes" or "no".
if Context.environment["QDENOISE_WINDOW"] != "no", let includes = includes(of: "libadwaita-1") {
  package.products.append(.executable(name: "qdenoise-window", targets: ["qdenoise-window"]))
  package.targets += [
    .executableTarget(
      name: "qdenoise-window",
      dependencies: [
        "Client", "Control", "AudioHost", "Plot", "Files", "UserMessages", "CAdwaita",
      ],
      swiftSettings: settings + [.unsafeFlags(includes.flatMap { ["-Xcc", $0] })],
      linkerSettings: [
        "adwaita-1", "gtk-4", "gdk_pixbuf-2.0", "cairo", "gio-2.0", "gobject-2.0", "glib-2.0",
      ].map { .linkedLibrary($0) }),
    .systemLibrary(name: "CAdwaita"),
  ]
}

/// The folders of a library's headers as compiler options; nil where it is not installed. With all of
/// pkg-config's flags SwiftPM warns of -pthread and -msse at every build.
func includes(of library: String) -> [String]? {
  let (question, answer) = (Process(), Pipe())
  question.executableURL = URL(filePath: "/usr/bin/env")
  question.arguments = ["pkg-config", "--cflags-only-I", library]
  (question.standardOutput, question.standardError) = (answer, FileHandle.nullDevice)
  guard (try? question.run()) != nil, let flags = try? answer.fileHandleForReading.readToEnd()
  else { return nil }
  question.waitUntilExit()
  guard question.terminationStatus == 0 else { return nil }
  return String(decoding: flags, as: UTF8.self).split(separator: " ").map {
    $0.trimmingCharacters(in: .newlines)
  }.filter { !$0.isEmpty }
}
