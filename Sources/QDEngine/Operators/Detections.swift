internal import Glibc

/// The options of TFLite_Detection_PostProcess.
public struct DetectionOptions: Sendable, Equatable {
  public let detections: Int
  public let classesPerDetection: Int
  let classes: Int
  let scoreThreshold: Float
  let overlapThreshold: Float
  /// For y, x, height and width.
  let scales: [Float]
  let isByClass: Bool
  let detectionsPerClass: Int

  /// `nil` if they are not the options of this operator.
  public init?(_ options: [UInt8]) {
    guard let map = FlexMap(options), let detections = map.int("max_detections"),
      let perDetection = map.int("max_classes_per_detection"), let classes = map.int("num_classes"),
      let scores = map.float("nms_score_threshold"), let overlap = map.float("nms_iou_threshold"),
      let y = map.float("y_scale"), let x = map.float("x_scale"), let h = map.float("h_scale"),
      let w = map.float("w_scale"), (1...4096).contains(detections),
      (1...4096).contains(perDetection), (1...65536).contains(classes)
    else { return nil }
    self.detections = detections
    classesPerDetection = perDetection
    self.classes = classes
    scoreThreshold = scores
    overlapThreshold = overlap
    scales = [y, x, h, w]
    isByClass = map.int("use_regular_nms") ?? 0 != 0
    detectionsPerClass = max(map.int("detections_per_class") ?? 100, 1)
  }

  /// The shapes of boxes, classes, scores and the number of detections.
  public var shapes: [[Int]] {
    let count = detections * classesPerDetection
    return [[1, count, 4], [1, count], [1, count], [1]]
  }
}

extension Lowering {
  /// Non-maximum suppression of a detector's boxes: the operator of TensorFlow's object detection.
  mutating func lowerDetections(_ index: Int, _ bytes: [UInt8]) throws(EngineError) {
    guard let options = DetectionOptions(bytes) else {
      throw invalid(index, "its options are not its own")
    }
    let (encodings, scores) = (try callInput(index, 0), try callInput(index, 1))
    let anchors = try callInput(index, 2)
    for (output, shape) in zip(graph.operators[index].outputs, options.shapes) {
      try requireShape(output, shape, index)
    }
    var results: [CallOperand] = []
    for position in 0..<4 { results.append(try callOutput(index, position)) }
    guard encodings.shape.count == 3, encodings.shape[0] == 1, encodings.shape[2] == 4,
      case let boxes = encodings.shape[1], anchors.shape == [boxes, 4], scores.shape.count == 3,
      Array(scores.shape[..<2]) == [1, boxes], scores.shape[2] >= options.classes,
      results.map(\.count) == options.shapes.map({ $0.reduce(1, *) }),
      (results + [encodings, scores, anchors]).allSatisfy({ $0.type == .float32 })
    else { throw invalid(index, "\(encodings.shape), \(scores.shape) and \(anchors.shape)") }
    let decoded = try scratch(boxes * 4, .float32)
    let best = try scratch(boxes, .float32)
    let state = try scratch(boxes, .uint8)
    let job = Detection(
      options: options, boxes: boxes, columns: scores.shape[2], encodings: encodings,
      scores: scores, anchors: anchors, decoded: decoded, best: best, state: state,
      results: results)
    emitCall(index, [encodings, scores, anchors, decoded, best, state] + results) { network in
      network.decode(job)
      if job.options.isByClass { network.detectByClass(job) } else { network.detect(job) }
    }
  }

  /// Scratch memory of one call.
  mutating func scratch(_ count: Int, _ type: ElementType) throws(EngineError) -> CallOperand {
    let storage = try newStorage(.scratch, byteCount: try checkedProduct([count, type.size]))
    return CallOperand(address: address(storage), shape: [count], count: count, type: type)
  }
}

private struct Detection: Sendable {
  var options: DetectionOptions
  var boxes: Int
  var columns: Int
  var encodings: CallOperand
  var scores: CallOperand
  var anchors: CallOperand
  /// Bottom, left, top and right of each box.
  var decoded: CallOperand
  var best: CallOperand
  /// Whether each box is still a candidate.
  var state: CallOperand
  var results: [CallOperand]

  /// Columns of the background class before the others.
  var offset: Int { columns - options.classes }
}

extension Network {
  /// Boxes from their distances to the anchors.
  fileprivate func decode(_ job: Detection) {
    let (codes, anchors) = unsafe (floats(job.encodings), floats(job.anchors))
    let boxes = unsafe floats(job.decoded)
    let scales = job.options.scales
    for box in 0..<job.boxes {
      for axis in 0..<2 {
        let place = 4 * box + axis
        let center = unsafe codes[place] / scales[axis] * anchors[place + 2] + anchors[place]
        let half = unsafe 0.5 * exp(codes[place + 2] / scales[axis + 2]) * anchors[place + 2]
        unsafe boxes[place] = center - half
        unsafe boxes[place + 2] = center + half
      }
    }
    for result in 0..<4 { unsafe floats(job.results[result]).update(repeating: 0) }
  }

  /// Removes and returns the best candidate, and removes those that overlap it; `nil` if there is
  /// none.
  private func choose(_ job: Detection) -> Int? {
    let (scores, state) = unsafe (floats(job.best), bytes(job.state))
    var chosen: Int?
    for box in 0..<job.boxes where unsafe state[box] != 0 {
      if let other = chosen, unsafe scores[other] >= scores[box] { continue }
      chosen = box
    }
    guard let chosen else { return nil }
    unsafe state[chosen] = 0
    for box in 0..<job.boxes where unsafe state[box] != 0 {
      if overlap(job, chosen, box) > job.options.overlapThreshold { unsafe state[box] = 0 }
    }
    return chosen
  }

  /// Intersection over union.
  private func overlap(_ job: Detection, _ a: Int, _ b: Int) -> Float {
    let boxes = unsafe floats(job.decoded)
    let (i, j) = (4 * a, 4 * b)
    let first = unsafe (boxes[i + 2] - boxes[i]) * (boxes[i + 3] - boxes[i + 1])
    let second = unsafe (boxes[j + 2] - boxes[j]) * (boxes[j + 3] - boxes[j + 1])
    if first <= 0 || second <= 0 { return 0 }
    let height = unsafe min(boxes[i + 2], boxes[j + 2]) - max(boxes[i], boxes[j])
    let width = unsafe min(boxes[i + 3], boxes[j + 3]) - max(boxes[i + 1], boxes[j + 1])
    let both = max(height, 0) * max(width, 0)
    return both / (first + second - both)
  }

  private func report(_ job: Detection, _ place: Int, box: Int, class kind: Int) {
    let boxes = unsafe floats(job.decoded)
    for side in 0..<4 { unsafe floats(job.results[0])[4 * place + side] = boxes[4 * box + side] }
    unsafe floats(job.results[1])[place] = Float(kind)
    unsafe floats(job.results[2])[place] = floats(job.scores)[box * job.columns + job.offset + kind]
  }

  /// Selects boxes by the best class of each; its next best classes are output with it.
  fileprivate func detect(_ job: Detection) {
    let (scores, best, state) = unsafe (floats(job.scores), floats(job.best), bytes(job.state))
    for box in 0..<job.boxes {
      var greatest = -Float.infinity
      for kind in 0..<job.options.classes {
        greatest = max(greatest, unsafe scores[box * job.columns + job.offset + kind])
      }
      unsafe best[box] = greatest
      unsafe state[box] = greatest >= job.options.scoreThreshold ? 1 : 0
    }
    let perBox = min(job.options.classesPerDetection, job.options.classes)
    var count = 0
    while count < job.options.detections, let box = choose(job) {
      var last = -1
      for rank in 0..<perBox {
        var next = -1
        for kind in 0..<job.options.classes where kind != last {
          let value = unsafe scores[box * job.columns + job.offset + kind]
          if last >= 0 {
            let known = unsafe scores[box * job.columns + job.offset + last]
            if value > known || (value == known && kind < last) { continue }
          }
          if next >= 0, unsafe value <= scores[box * job.columns + job.offset + next] { continue }
          next = kind
        }
        if next < 0 { break }
        report(job, count * job.options.classesPerDetection + rank, box: box, class: next)
        last = next
      }
      count += 1
    }
    unsafe floats(job.results[3])[0] = Float(count)
  }

  /// Selects boxes for each class separately, and of all these the best.
  fileprivate func detectByClass(_ job: Detection) {
    let (scores, best, state) = unsafe (floats(job.scores), floats(job.best), bytes(job.state))
    let (found, most) = unsafe (floats(job.results[2]), job.results[2].count)
    var count = 0
    for kind in 0..<job.options.classes {
      for box in 0..<job.boxes {
        let score = unsafe scores[box * job.columns + job.offset + kind]
        unsafe best[box] = score
        unsafe state[box] = score >= job.options.scoreThreshold ? 1 : 0
      }
      for _ in 0..<min(job.options.detectionsPerClass, job.options.detections) {
        guard let box = choose(job) else { break }
        // Its position among the boxes that are kept.
        let score = unsafe best[box]
        var place = count
        while place > 0, unsafe found[place - 1] < score { place -= 1 }
        if place >= min(job.options.detections, most) { continue }
        count = min(count + 1, min(job.options.detections, most))
        var other = count - 1
        while other > place {
          for side in 0..<4 {
            let all = unsafe floats(job.results[0])
            unsafe all[4 * other + side] = all[4 * (other - 1) + side]
          }
          for result in 1...2 {
            let all = unsafe floats(job.results[result])
            unsafe all[other] = all[other - 1]
          }
          other -= 1
        }
        report(job, place, box: box, class: kind)
      }
    }
    unsafe floats(job.results[3])[0] = Float(count)
  }
}

/// The numbers of a FlexBuffer whose root is a map.
struct FlexMap {
  private let bytes: [UInt8]
  private var entries: [String: (type: UInt8, value: UInt64, width: Int)] = [:]

  init?(_ bytes: [UInt8]) {
    self.bytes = bytes
    guard bytes.count >= 3 else { return nil }
    let rootWidth = Int(bytes[bytes.count - 1])
    // 9 is a map; its low bits are the width of its values.
    guard bytes[bytes.count - 2] >> 2 == 9, [1, 2, 4, 8].contains(rootWidth) else { return nil }
    let place = bytes.count - 2 - rootWidth
    guard let start = follow(place, rootWidth) else { return nil }
    let width = 1 << Int(bytes[bytes.count - 2] & 3)
    guard let count = load(start - width, width), count <= 1024,
      let keyWidth = load(start - 2 * width, width), [1, 2, 4, 8].contains(keyWidth),
      let keys = follow(start - 3 * width, width)
    else { return nil }
    for index in 0..<Int(count) {
      guard let name = follow(keys + index * Int(keyWidth), Int(keyWidth)),
        let end = bytes[name...].firstIndex(of: 0),
        let value = load(start + index * width, width),
        let type = load(start + Int(count) * width + index, 1)
      else { return nil }
      let key = String(decoding: bytes[name..<end], as: UTF8.self)
      entries[key] = (UInt8(type), value, width)
    }
  }

  private func load(_ place: Int, _ width: Int) -> UInt64? {
    guard place >= 0, place + width <= bytes.count else { return nil }
    return bytes[place..<place + width].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private func follow(_ place: Int, _ width: Int) -> Int? {
    guard let offset = load(place, width), offset <= UInt64(bytes.count), Int(offset) <= place
    else {
      return nil
    }
    return place - Int(offset)
  }

  func int(_ key: String) -> Int? {
    guard let entry = entries[key] else { return nil }
    switch entry.type >> 2 {
    // Signed and unsigned integers and booleans.
    case 1:
      let bits = UInt64(64 - 8 * entry.width)
      return Int(Int64(bitPattern: entry.value << bits) >> Int64(bits))
    case 2, 26: return Int(clamping: entry.value)
    default: return nil
    }
  }

  func float(_ key: String) -> Float? {
    guard let entry = entries[key] else { return nil }
    if entry.type >> 2 == 3 {
      switch entry.width {
      case 2: return Float(Float16(bitPattern: UInt16(truncatingIfNeeded: entry.value)))
      case 4: return Float(bitPattern: UInt32(truncatingIfNeeded: entry.value))
      case 8: return Float(Double(bitPattern: entry.value))
      default: return nil
      }
    }
    return int(key).map(Float.init)
  }
}
