#!/usr/bin/env python3
"""Runs files of our own converter in LiteRT and keeps what it computes.

    pip install ai-edge-litert flatbuffers numpy
    QDENOISE_WRITE_FIXTURES=1 swift test -c release --filter 'files are the ones'
    python3 Tests/Fixtures/make_quantized_fixtures.py

The first command writes quantizer/quantized_*.tflite, the second their goldens.
"""

from make_integer_fixtures import FOLDER, write_goldens

if __name__ == "__main__":
    for path in sorted(FOLDER.glob("quantizer/quantized_*.tflite")):
        write_goldens(f"quantizer/{path.stem}", path.read_bytes())
