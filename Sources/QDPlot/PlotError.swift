/// Why a picture cannot be drawn.
public enum PlotError: Error, Equatable, Sendable, CustomStringConvertible {
  case nothingToPlot
  case cannotEncode(width: Int, height: Int)

  public var description: String {
    switch self {
    case .nothingToPlot: "there is no sound to plot; name at least one file that is not empty"
    case .cannotEncode(let width, let height):
      "a picture of \(width) by \(height) cannot be made; plot fewer files at a time"
    }
  }
}
