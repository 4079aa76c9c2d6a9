"""Denoises a file hop by hop in LiteRT: python runner.py MODEL.tflite IN.wav OUT.wav.

The output is what a live stream would give: one hop behind the input.
"""

import json
import sys

import numpy as np
import soundfile
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

MAGNITUDE_FLOOR = 1e-5


def read_metadata(content):
    """The JSON in the buffer `qdenoise` of a `.tflite` file."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for entry in model.metadata:
        if entry.name == b"qdenoise":
            return json.loads(bytes(model.buffers[entry.buffer].data))
    raise ValueError("the model has no metadata buffer 'qdenoise'")


class StreamingModel:
    """One network with its state: features (P, 3) in, taps (low, 6) and gains (32) out.

    `speech` is the speech probability of the latest hop.
    """

    def __init__(self, content):
        self.metadata = read_metadata(content)
        self.interpreter = Interpreter(model_content=content, num_threads=1)
        self.interpreter.allocate_tensors()
        self.inputs = {d["name"]: d["index"] for d in self.interpreter.get_input_details()}
        self.outputs = {d["name"]: d["index"] for d in self.interpreter.get_output_details()}
        details = self.interpreter.get_input_details()
        self.state = {
            d["name"]: np.zeros(d["shape"], np.float32)
            for d in details
            if d["name"] != "features"
        }

    def __call__(self, features):
        run = self.interpreter
        run.set_tensor(self.inputs["features"], features.astype(np.float32)[None, None])
        for name, value in self.state.items():
            run.set_tensor(self.inputs[name], value)
        run.invoke()
        for source, target in self.metadata["states"]:
            self.state[source] = run.get_tensor(self.outputs[target])
        taps = run.get_tensor(self.outputs["taps"])
        gains = run.get_tensor(self.outputs["gains"])
        self.speech = float(run.get_tensor(self.outputs["speech"]).item())
        return taps[0, 0], gains[0, 0, :, 0]


def features_of(spectrum, edges):
    """Positions x (magnitude, real, imaginary), compressed; bands are means over their bins."""
    magnitude = np.maximum(np.abs(spectrum), MAGNITUDE_FLOOR)
    direction = spectrum * magnitude**-0.7
    parts = np.stack([magnitude**0.3, direction.real, direction.imag], -1)
    bands = np.add.reduceat(parts[: edges[-1]], edges[:-1], axis=0)
    return np.concatenate([parts[: edges[0]], bands / np.diff(edges)[:, None]])


def apply(history, taps, gains, edges):
    """`history`: spectra of hops t, t-1, t-2."""
    low = edges[0]
    filters = taps[:, 0::2] + 1j * taps[:, 1::2]
    out = history[0] * np.concatenate([np.ones(low), np.repeat(gains, np.diff(edges))])
    out[:low] = sum(filters[:, j] * spectrum[:low] for j, spectrum in enumerate(history))
    return out


def low_cut_gains(window_length):
    """As `spectrum.FrontEnd.low_cut`, without torch."""
    square = np.square(np.arange(window_length // 2 + 1) * (48000 / window_length / 80))
    return square / np.sqrt(1 + np.square(square))


def denoise(model, samples):
    """Samples at 48 kHz in, as many out, one hop late."""
    meta = model.metadata
    window_length, hop, edges = meta["window"], meta["hop"], np.array(meta["band_edges"])
    phase = 2 * np.pi * np.arange(window_length) / window_length
    win = np.sqrt(0.5 - 0.5 * np.cos(phase))
    hops = -(-len(samples) // hop)
    padded = np.pad(samples, (window_length - hop, hops * hop - len(samples)))
    history = [np.zeros(window_length // 2 + 1, complex)] * meta["taps"]
    overlap, out = np.zeros(window_length), np.zeros(hops * hop, np.float32)
    low_cut = low_cut_gains(window_length)
    for t in range(hops):
        spectrum = np.fft.rfft(padded[t * hop : t * hop + window_length] * win)
        history = [spectrum, *history[:-1]]
        taps, gains = model(features_of(spectrum, edges))
        denoised = apply(history, taps, gains, edges) * low_cut
        overlap += np.fft.irfft(denoised, window_length) * win
        out[t * hop : (t + 1) * hop] = overlap[:hop]
        overlap = np.concatenate([overlap[hop:], np.zeros(hop)])
    return out[: len(samples)]


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        network = StreamingModel(file.read())
    audio, rate = soundfile.read(sys.argv[2], dtype="float32", always_2d=True)
    if rate != network.metadata["sample_rate"]:
        raise SystemExit(f"{sys.argv[2]}: {rate} Hz, the model wants 48000")
    soundfile.write(sys.argv[3], denoise(network, audio[:, 0]), rate, subtype="FLOAT")
