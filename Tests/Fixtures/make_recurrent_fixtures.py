#!/usr/bin/env python3
"""Makes small recurrent networks of Keras as TensorFlow converts them, and LiteRT's results: loops
(WHILE) over a sequence, and layers that remember (VAR_HANDLE and its like).

    pip install tensorflow-cpu ai-edge-litert flatbuffers numpy
    python3 Tests/Fixtures/make_recurrent_fixtures.py
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Conformance"))

from make_integer_fixtures import write_goldens
from networks import build, convert, layers, recurrent

NETWORKS = {
    "lstm": (lambda: layers.LSTM(16, return_sequences=True), 4),
    "gru": (lambda: layers.GRU(12, return_sequences=True), 3),
    "gru_first": (lambda: layers.GRU(12, reset_after=False), 3),
    "simple": (lambda: layers.SimpleRNN(9), 3),
    "bidirectional": (lambda: layers.Bidirectional(layers.LSTM(7, return_sequences=True)), 3),
    "stateful": (lambda: layers.LSTM(10, stateful=True, return_sequences=True), 2),
}

if __name__ == "__main__":
    for name, (make, times) in NETWORKS.items():
        model = build(recurrent(make, times, 16))
        write_goldens(f"recurrent/loop_{name}_f32", convert(model, "f32"))
        if name == "lstm":
            write_goldens(f"recurrent/loop_{name}_dynamic", convert(model, "dynamic"))
