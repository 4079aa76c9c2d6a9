// One import for other packages: networks from `.tflite` and `.onnx` files, their quantization, and the
// engine that runs them. docs/library.md says what of it is stable.

@_exported public import Engine
@_exported public import enum Files.FileError
@_exported public import class Files.MappedFile
@_exported public import enum Kernels.InstructionSet
@_exported public import ONNX
@_exported public import Quantizer
@_exported public import TFLite
