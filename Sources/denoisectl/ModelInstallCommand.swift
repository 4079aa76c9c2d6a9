import ArgumentParser
import QDAudioHost
import QDControl
import QDDenoise
import QDFiles
import Foundation
import QDModelStore
import QDTFLite

struct ModelInstallCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "Puts a denoising model where the daemon finds it by its name.",
    discussion: """
      `denoisectl model choose NAME` then runs it, where NAME is that of the file without .tflite. \
      `model import --denoiser` makes models of published files.
      """)

  @Argument(help: "The .tflite file.", completion: .file(extensions: ["tflite"]))
  var file: String

  func run() throws {
    let bytes = try SampleFiles.bytes(file)
    let name = try Self.name(of: file)
    let model = try Model(try TFLiteFile.read(bytes, name: file))
    guard model.sampleRate == 48000 else {
      throw ForeignDenoiserError(
        "\(file): it hears \(model.sampleRate) Hz; the daemon runs models of 48000 Hz")
    }
    // A network that the engine cannot run is not installed.
    _ = try Denoiser(model)
    let folder = try folder()
    let path = "\(folder)/\(name).tflite"
    try OutputFile.write(bytes, to: path, as: .ownState)
    say("\(path): \(model.name), licence: \(model.licence ?? "not stated")".printable)
    printError("`denoisectl model choose \(name)` runs it")
  }

  /// Its name for the daemon.
  static func name(of file: String) throws -> String {
    var name = (file as NSString).lastPathComponent
    if name.hasSuffix(".tflite") { name.removeLast(7) }
    guard case .installed = ModelSetting(rawValue: name) else {
      throw ForeignDenoiserError(
        "\(file): '\(name)' is no name for a model: letters, digits, dots, hyphens and underscores, at "
          + "most 64, and none of \(ModelSetting.list); rename the file")
    }
    return name
  }

  private func folder() throws -> String {
    guard let folder = ModelStore.folders.first else {
      throw ForeignDenoiserError("there is no folder for models; set XDG_DATA_HOME")
    }
    try UserDirectories.make(folder)
    return folder
  }
}
