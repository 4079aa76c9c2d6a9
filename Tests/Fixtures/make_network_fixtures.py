#!/usr/bin/env python3
"""Makes the small networks of Tests/Conformance in every quantization, and LiteRT's results.

    pip install tensorflow-cpu ai-edge-litert flatbuffers numpy
    python3 Tests/Fixtures/make_network_fixtures.py
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Conformance"))

from make_integer_fixtures import write_goldens
from networks import MODES, SMALL, build, convert

if __name__ == "__main__":
    for name, make in SMALL.items():
        model = build(make)
        for mode in MODES:
            write_goldens(f"networks/net_{name[6:]}_{mode}", convert(model, mode))
