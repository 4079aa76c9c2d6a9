#!/usr/bin/env python3
"""Runs files of our own converter in LiteRT and keeps what it computes.

    pip install ai-edge-litert flatbuffers numpy
    QDENOISE_WRITE_FIXTURES=1 swift test -c release --filter 'files are the ones'
    python3 Tests/Fixtures/make_quantized_fixtures.py

The first command writes quantized_*.tflite, the second quantized_*.golden.
"""

from make_integer_fixtures import FOLDER, write_goldens

if __name__ == "__main__":
    for path in sorted(FOLDER.glob("quantized_*.tflite")):
        write_goldens(path.stem, path.read_bytes())
