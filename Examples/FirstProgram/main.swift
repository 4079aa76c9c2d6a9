import Foundation
import QuantizedInference

guard let path = CommandLine.arguments.dropFirst().first else {
  print("usage: first-program MODEL.tflite")
  exit(64)
}
let graph = try TFLiteFile.read(Array(Data(contentsOf: URL(filePath: path))), name: path)
var network = try Network(graph)
for tensor in graph.callerInputs.map({ graph.tensors[$0] }) {
  unsafe try network.input(named: tensor.name).update(repeating: 0.5)
}
network.run()
for tensor in graph.callerOutputs.map({ graph.tensors[$0] }) {
  unsafe print(tensor.name, Array(try network.output(named: tensor.name).prefix(8)))
}
