import CQDAdwaita
import QDClient
import QDControl
import QDPlot

/// One side of the denoiser as a spectrogram of the last ten seconds, with its level.
///
/// Thread: main.
@MainActor final class LiveView {
  let widget: Widget
  private let strip: Strip
  private let figure = Widget.figure(letters: 9, "caption", "dim-label", "numeric")
  private let hint = Widget.label("", "strip-hint").centred().placed(
    GTK_ALIGN_CENTER, GTK_ALIGN_CENTER)
  private let name: String
  private var meter = Meter()
  private var pieces = 0

  private static let seconds = 10.0
  private static let rows = 96
  /// dB that are drawn as the lightest colour.
  private static let loudest: Float = -25
  /// dB where the meter begins.
  private static let quietest: Float = -60

  init(_ name: String) {
    self.name = name
    strip = Strip(rows: Self.rows)
    strip.widget.named(tr("%1: level, and spectrogram of the last ten seconds", name))
    let heading = Widget.line(
      spacing: 6, Widget.label(name, "caption-heading").expanding(), figure)
    widget = Widget.column(spacing: 6, heading, strip.widget.over(hint))
    silence()
  }

  private var sampleRate = 0
  private var columns = 0
  private var spectrogram: LiveSpectrogram?

  /// Takes the next samples.
  func take(_ samples: [Float], sampleRate: Int) {
    let columns = strip.fit()
    if (sampleRate, columns) != (self.sampleRate, self.columns), columns > 0 {
      (self.sampleRate, self.columns) = (sampleRate, columns)
      spectrogram = LiveSpectrogram(
        sampleRate: sampleRate, columnsPerSecond: Double(columns) / Self.seconds, rows: Self.rows,
        scale: FrequencyScale(highest: 12_000))
    }
    spectrogram?.append(samples) { strip.put($0, loudest: Self.loudest) }
    meter.take(samples)
    strip.set(level: Double((meter.level - Self.quietest) / -Self.quietest))
    pieces += 1
    // Words that change all the time are not read, and cost more than the bar.
    if pieces % 10 == 0 { show() }
  }

  /// How often it was drawn since the last call; a compositor lets a window that nobody sees draw
  /// nothing.
  func takeDraws() -> Int { strip.takeDraws() }

  /// Calls `body` once it is drawn again.
  func awaitDraw(_ body: @escaping @MainActor () -> Void) { strip.awaitDraw(body) }

  /// Says why nothing comes; nil while something does.
  func set(hint text: String?) {
    hint.set(text: text ?? "")
    hint.isVisible = text != nil
    if text != nil { silence() }
  }

  private func silence() {
    meter = Meter()
    strip.set(level: 0)
    figure.set(figure: "")
  }

  private func show() {
    let decibels = meter.level
    let text = decibels <= -99 ? tr("silence") : tr("%1 dB", number(Double(decibels), decimals: 0))
    figure.set(figure: text)
    strip.tell(Double(max(decibels, Self.quietest)), from: Double(Self.quietest), text)
  }
}

/// A picture whose columns come one by one, and a meter. Thread: main.
@MainActor @safe private final class Strip {
  let widget: Widget
  private let strip: UnsafeMutablePointer<ui_strip>
  private var colours: [UInt32]

  init(rows: Int) {
    var made: UnsafeMutablePointer<ui_strip>?
    widget = unsafe Widget(ui_strip_new(Int32(rows), &made))
    unsafe strip = made!
    colours = [UInt32](repeating: 0, count: rows)
  }

  /// Has a column for each pixel of the widget's width, and says how many; 0 before it has one.
  func fit() -> Int { unsafe Int(ui_strip_fit(strip)) }

  func put(_ levels: [Float], loudest: Float) {
    for (row, level) in levels.enumerated() {
      colours[row] = LiveSpectrogram.colour(level, loudest: loudest)
    }
    unsafe ui_strip_put(strip, colours)
  }

  /// What of the meter is filled, 0 to 1; draws the columns that came before, too.
  func set(level: Double) {
    unsafe ui_strip_set_level(strip, min(max(level, 0), 1))
    widget.redraw()
  }

  func takeDraws() -> Int { unsafe Int(ui_strip_take_draws(strip)) }

  private var drawn: (@MainActor () -> Void)?

  /// Calls `body` once it is drawn the next time. It lives as long as the window.
  func awaitDraw(_ body: @escaping @MainActor () -> Void) {
    drawn = body
    unsafe ui_strip_await(
      strip,
      { data in
        let strip = unsafe Unmanaged<Strip>.fromOpaque(data!).takeUnretainedValue()
        MainActor.assumeIsolated {
          strip.drawn?()
          strip.drawn = nil
        }
        return 0
      }, Unmanaged.passUnretained(self).toOpaque())
    widget.redraw()
  }

  /// Tells a screen reader the level, in dB and in words.
  func tell(_ level: Double, from least: Double, _ text: String) {
    unsafe ui_set_meter(widget.raw, least, 0, level)
    widget.says(text)
  }
}
