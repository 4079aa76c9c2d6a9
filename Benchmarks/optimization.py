#!/usr/bin/env python3
"""The table of TensorFlow's model optimization page for a denoiser: a row for each way to store it.

    pip install numpy soundfile soxr pesq pystoi onnxruntime
    python3 Benchmarks/optimization.py models/full.tflite SET --calibrate WAV... --scorer score.py \\
        [--aware TRAINED.tflite] [--write models/MODEL_CARD.md]

SET is a folder with manifest.csv (id, kind, noisy, clean, snr_db, reverb), the scorer the scoring
tool that is called as `score.py SET --system NAME --cmd COMMAND` and leaves SET/scores.csv. Without
it SI-SDR and ESTOI are those of `denoisectl model evaluate`. --calibrate takes sound that is not in
SET. --aware is a float file that was trained with quantization in the loop, and gets rows of its
own. --write puts the table between the marks of a page.
"""

import argparse
import csv
import json
import pathlib
import shlex
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
DENOISECTL = ROOT / ".build/release/denoisectl"
BEGIN, END = "<!-- optimization: begin -->", "<!-- optimization: end -->"
MODES = {
    "float32": None,
    "float16": ["--optimize", "float16"],
    "dynamic range int8": ["--optimize", "default"],
    "int8": ["--optimize", "latency"],
    "16x8": ["--int16x8"],
    "int4 weights, dynamic range": ["--weights", "int4"],
}
AWARE = ("dynamic range int8", "int8", "16x8", "int4 weights, dynamic range")
COLUMNS = {"PESQ": ("pesq", "mixture", ".2f"), "ESTOI": ("estoi", "mixture", ".3f"),
           "SI-SDR, dB": ("sisdr", "mixture", ".1f"), "DNSMOS": ("ovrl", "mixture", ".2f"),
           "noise taken away, dB": ("noise_att", "noise_only", ".1f"),
           "clean PESQ": ("clean_pesq", "clean_only", ".2f")}


def denoisectl(*words):
    result = subprocess.run([str(w) for w in (DENOISECTL, *words)], capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(result.stderr.strip())
    return result.stdout


def convert(source, mode, options):
    arguments = MODES[mode]
    if arguments is None:
        return source
    target = options.folder / f"{source.stem}.{mode.replace(' ', '_').replace(',', '')}.tflite"
    words = ["model", "convert", source, target, *arguments]
    if mode in ("int8", "16x8"):
        words += ["--representative", *options.calibrate]
    denoisectl(*words)
    return target


def microseconds(model, options):
    """The least and the median whole hop over the rounds."""
    hops = [json.loads(denoisectl("bench", "--hop", options.calibrate[0], "--json", "--seconds",
                                  options.seconds, model)) for _ in range(options.rounds)]
    return (min(h["whole"]["min_us"] for h in hops),
            statistics.median(h["network"]["median_us"] for h in hops))


def scores(name, model, options):
    """By column; from the scoring tool where there is one."""
    if not options.scorer:
        lines = denoisectl("model", "evaluate", "--pairs", options.set, "--every", options.every,
                           "--mode", options.mode, model).splitlines()
        ratio, _, _, estoi = lines[-1].rsplit(maxsplit=3)
        return {"SI-SDR, dB": ratio.split()[-1], "ESTOI": estoi}
    command = (f"{shlex.quote(str(DENOISECTL))} process --model {shlex.quote(str(model))} "
               f"--mode {options.mode} {{in}} {{out}}")
    subprocess.run([sys.executable, str(options.scorer), str(options.set), "--system", name,
                    "--cmd", command, "--dnsmos-every", "2"] + (["--half"] if options.every > 1 else []),
                   check=True, stdout=subprocess.DEVNULL)
    rows = [r for r in csv.DictReader(open(options.set / "scores.csv")) if r["system"] == name]
    result = {}
    for column, (key, kind, form) in COLUMNS.items():
        values = [float(r[key]) for r in rows if r["kind"] == kind and r.get(key) not in (None, "", "nan")]
        result[column] = format(statistics.mean(values), form) if values else "-"
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("set", type=pathlib.Path)
    parser.add_argument("--calibrate", nargs="+", required=True)
    parser.add_argument("--aware", type=pathlib.Path)
    parser.add_argument("--scorer", type=pathlib.Path)
    parser.add_argument("--mode", default="standard")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "out/optimization")
    parser.add_argument("--write", type=pathlib.Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    wanted = [(mode, options.model, "post-training" if arguments else "original")
              for mode, arguments in MODES.items()]
    if options.aware:
        wanted += [(mode, options.aware, "quantization-aware") for mode in AWARE]
    lines = []
    for mode, source, origin in wanted:
        model = convert(source, mode, options)
        found = scores(f"{source.stem} {origin} {mode}", model, options)
        whole, network = microseconds(model, options)
        if not lines:
            lines = [f"| form | | KiB | hop, us | network, us | {' | '.join(found)} |",
                     "| --- " * (5 + len(found)) + "|"]
        size = model.stat().st_size / 1024
        lines.append(f"| {mode} | {origin} | {size:.0f} | {whole:.0f} | {network:.0f} | "
                     f"{' | '.join(found.values())} |")
        print(lines[-1], file=sys.stderr, flush=True)
    table = "\n".join(lines)
    print(table)
    if options.write:
        page = options.write.read_text()
        head, rest = page.split(BEGIN)
        options.write.write_text(f"{head}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
