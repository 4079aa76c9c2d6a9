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
    .library(name: "QuantizedKernels", targets: ["QDKernels"]),
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
        "QDAudioPath", "QDControl", "QDDenoise", "QDAudioHost", "QDModelStore", "QDSignal",
        "QDKernels",
        "QDFiles",
        "QDMessages",
        "CQDSystemd", "CQDLinux", histogram,
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "denoisectl",
      dependencies: [
        "QDControl", "QDDenoise", "QDAudioHost", "QDModelStore", "QDQuantizer", "QDTFLite",
        "QDEngine",
        "QDPlot",
        "QDONNX", "QDScoring", "QDClient", "QDSignal", "QDKernels", "QDFiles", "QDMemory",
        argumentParser,
      ],
      swiftSettings: settings),

    // The icon in the panel; it needs no toolkit.
    .executableTarget(
      name: "qdenoise-tray",
      dependencies: ["QDClient", "QDControl", "QDMessages", "CQDSystemd"], swiftSettings: settings),

    // What the documentation of the library begins with.
    .executableTarget(
      name: "first-program", dependencies: ["QuantizedInference"], path: "Examples/FirstProgram",
      swiftSettings: settings),

    // The engine and what goes with it as one module.
    .target(
      name: "QuantizedInference",
      dependencies: ["QDEngine", "QDTFLite", "QDONNX", "QDQuantizer", "QDKernels", "QDFiles"],
      swiftSettings: settings),

    // The audio thread.
    .target(
      name: "QDAudioPath",
      dependencies: [
        "QDDenoise", "QDAudioHost", "QDControl", "QDSignal", "QDMemory", "QDMessages", "CQDLinux",
      ],
      swiftSettings: audioPathSettings),

    // Where a model comes from.
    .target(
      name: "QDModelStore",
      dependencies: [
        "QDDenoise", "QDTFLite", "QDEngine", "QDFiles", "QDMessages", "CQDEmbeddedModel",
      ],
      swiftSettings: settings),

    // What the programs for people share.
    .target(
      name: "QDClient",
      dependencies: ["QDControl", "QDAudioHost", "QDFiles", "QDKernels", "QDMessages", "CQDLinux"],
      swiftSettings: settings),

    .target(name: "QDONNX", dependencies: ["QDEngine"], swiftSettings: settings),
    .target(name: "QDScoring", dependencies: ["QDKernels"], swiftSettings: settings),
    .target(
      name: "QDPlot", dependencies: ["QDSignal", "QDKernels", "CQDPNG", "QDMemory"],
      swiftSettings: settings),
    .target(
      name: "QDDenoise",
      dependencies: [
        "QDEngine", "QDSignal", "QDKernels", "QDMemory", "QDUserSettings", "QDMessages",
      ],
      swiftSettings: audioPathSettings),
    .target(
      name: "QDTFLite", dependencies: ["QDEngine", "QDFiles", "QDMessages"], swiftSettings: settings
    ),
    .target(name: "QDQuantizer", dependencies: ["QDEngine", "QDKernels"], swiftSettings: settings),

    .target(
      name: "QDEngine",
      dependencies: ["QDKernels", "QDMemory", "QDFiles", "QDMessages", "CQDThreadPool"],
      swiftSettings: engineSettings),
    .target(
      name: "QDSignal", dependencies: ["QDKernels", "QDMemory", "CQDSampleRate"],
      swiftSettings: audioPathSettings),

    .target(
      name: "QDKernels", dependencies: ["CQDKernels", "QDMemory"], swiftSettings: audioPathSettings),
    .target(
      name: "QDAudioHost",
      dependencies: [
        "QDFiles", "QDMessages", "CQDPulse", "CQDPipeWire", "CQDALSA", "CQDSndFile", "CQDLinux",
        "QDMemory",
      ],
      swiftSettings: audioPathSettings),

    .target(name: "QDMemory", swiftSettings: audioPathSettings),
    .target(name: "QDFiles", dependencies: ["QDMessages", "CQDLinux"], swiftSettings: settings),
    .target(
      name: "QDControl", dependencies: ["QDUserSettings", "QDMessages", "CQDSystemd"],
      swiftSettings: settings),
    .target(name: "QDUserSettings", swiftSettings: audioPathSettings),
    .target(name: "QDMessages", swiftSettings: settings),

    // C.
    .target(name: "CQDKernels"),
    .target(name: "CQDThreadPool"),
    .target(name: "CQDEmbeddedModel"),
    .systemLibrary(name: "CQDLinux"),
    // pkg-config's flags for it hold -pthread, of which SwiftPM warns at every build.
    .systemLibrary(name: "CQDPulse"),
    // Its headers are not where compilers look; pkg-config's flags hold -D_REENTRANT, of which SwiftPM
    // warns at every build.
    .target(name: "CQDPipeWire"),
    system("CQDALSA", pkgConfig: "alsa", debian: "libasound2-dev"),
    system("CQDSystemd", pkgConfig: "libsystemd", debian: "libsystemd-dev"),
    system("CQDSndFile", pkgConfig: "sndfile", debian: "libsndfile1-dev"),
    system("CQDSampleRate", pkgConfig: "samplerate", debian: "libsamplerate0-dev"),
    system("CQDPNG", pkgConfig: "libpng", debian: "libpng-dev"),

    // Tests.
    .target(name: "CAllocationCount", path: "Tests/Support/CAllocationCount"),
    .target(name: "Seeded", path: "Tests/Support/Seeded", swiftSettings: testSettings),
    .target(
      name: "TestSupport", dependencies: ["CQDPulse"], path: "Tests/Support/TestSupport",
      swiftSettings: testSettings),
    .testTarget(
      name: "KernelsTests", dependencies: ["QDKernels", "QDMemory", "Seeded"], exclude: ["cross"],
      swiftSettings: testSettings),
    .testTarget(
      name: "TFLiteTests", dependencies: ["QDTFLite", "QDEngine", "EngineSupport"],
      swiftSettings: testSettings),
    .target(
      name: "EngineSupport",
      dependencies: [
        "QDEngine", "QDTFLite", "QDDenoise", "QDKernels", "CAllocationCount", "Seeded",
      ],
      path: "Tests/Support/EngineSupport", swiftSettings: testSettings),
    .executableTarget(
      name: "sanitizer-check", dependencies: ["EngineSupport"],
      path: "Tests/Support/SanitizerCheck", swiftSettings: testSettings),
    .testTarget(
      name: "EngineTests",
      dependencies: [
        "QDEngine", "QDTFLite", "QDKernels", "QDMemory", "QDFiles", "CAllocationCount",
        "EngineSupport",
        "Seeded",
      ],
      swiftSettings: testSettings),
    .testTarget(
      name: "QuantizerTests", dependencies: ["QDQuantizer", "QDTFLite", "QDEngine", "QDDenoise"],
      swiftSettings: testSettings),
    .testTarget(
      name: "SignalTests",
      dependencies: ["QDSignal", "QDKernels", "QDMemory", "CAllocationCount", "Seeded"],
      swiftSettings: testSettings),
    .testTarget(
      name: "DenoiseTests",
      dependencies: [
        "QDDenoise", "QDModelStore", "QDEngine", "QDFiles", "QDSignal", "QDKernels", "QDMemory",
        "CAllocationCount", "Seeded", "TestSupport",
      ],
      exclude: ["realtime"],
      swiftSettings: testSettings),
    .testTarget(
      name: "ONNXTests", dependencies: ["QDONNX", "QDQuantizer", "QDEngine", "TestSupport"],
      swiftSettings: testSettings),
    .testTarget(name: "ScoringTests", dependencies: ["QDScoring"], swiftSettings: testSettings),
    .testTarget(name: "PlotTests", dependencies: ["QDPlot"], swiftSettings: testSettings),
    .testTarget(name: "FilesTests", dependencies: ["QDFiles"], swiftSettings: testSettings),
    .testTarget(
      name: "AudioHostTests",
      dependencies: ["QDAudioHost", "QDFiles", "QDMessages", "TestSupport"],
      swiftSettings: testSettings),
    .testTarget(
      name: "AudioPathTests",
      dependencies: [
        "QDAudioPath", "QDAudioHost", "QDControl", "QDDenoise", "QDModelStore", "QDSignal",
        "CAllocationCount",
        "TestSupport",
      ],
      swiftSettings: testSettings),
    .testTarget(
      name: "DaemonTests",
      dependencies: ["qdenoise", "QDAudioHost", "QDControl", "QDMessages", "TestSupport"],
      swiftSettings: testSettings),
    .target(
      name: "ControlSupport", dependencies: ["QDControl", "QDMessages"],
      path: "Tests/Support/ControlSupport",
      swiftSettings: testSettings),
    .testTarget(
      name: "ControlTests",
      dependencies: ["QDControl", "QDMessages", "ControlSupport", "TestSupport"],
      swiftSettings: testSettings),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "denoisectl", "qdenoise", "first-program", "QDAudioHost", "QDClient", "QDControl",
        "QDDenoise",
        "QDEngine", "QDFiles", "QDKernels", "QDModelStore", "QDTFLite", "QDMessages",
        "CAllocationCount",
        "ControlSupport", "Seeded", "TestSupport",
      ],
      swiftSettings: testSettings),
    .testTarget(
      name: "SystemTests",
      dependencies: ["qdenoise", "denoisectl", "QDControl", "QDMessages", "TestSupport"],
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
        "QDClient", "QDControl", "QDAudioHost", "QDPlot", "QDFiles", "QDMessages", "CQDAdwaita",
      ],
      swiftSettings: settings + [.unsafeFlags(includes.flatMap { ["-Xcc", $0] })],
      linkerSettings: [
        "adwaita-1", "gtk-4", "gdk_pixbuf-2.0", "cairo", "gio-2.0", "gobject-2.0", "glib-2.0",
      ].map { .linkedLibrary($0) }),
    .systemLibrary(name: "CQDAdwaita"),
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
