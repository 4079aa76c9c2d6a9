#!/usr/bin/env python3
"""Makes a network with FAKE_QUANT behind every activation, and LiteRT's results.

    pip install ai-edge-litert flatbuffers numpy
    python3 Tests/Fixtures/make_fake_quantization_fixture.py
"""

import numpy as np

from make_integer_fixtures import write_goldens
from tflite_builder import Builder

if __name__ == "__main__":
    random = np.random.default_rng(1)
    b = Builder()

    def fake(x, low, high):
        return b.op("FAKE_QUANT", [x], b.shape(x), "FakeQuantOptions", min=low, max=high, numBits=8,
                    narrowRange=False)

    y = fake(b.input("x", [1, 40]), -1.5, 2.0)
    y = b.fully_connected(y, random.normal(0, 0.2, (24, 40)).astype(np.float32),
                          random.normal(0, 0.1, 24).astype(np.float32), activation="relu")
    y = b.fully_connected(fake(y, 0.0, 3.0), random.normal(0, 0.2, (10, 24)).astype(np.float32))
    b.output(fake(y, -2.0, 2.1), "y")
    write_goldens("quantizer/fake_quantization", b.bytes())
