// One import for other packages: networks from `.tflite` and `.onnx` files, their quantization, and the
// engine that runs them. docs/library.md says what of it is stable.

@_exported public import QDEngine
@_exported public import enum QDFiles.FileError
@_exported public import class QDFiles.MappedFile
@_exported public import enum QDKernels.InstructionSet
@_exported public import QDONNX
@_exported public import QDQuantizer
@_exported public import QDTFLite
