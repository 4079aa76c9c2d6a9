"""Scores systems by NISQA, a judge that no training here has heard:

    python nisqa.py SET NISQA SYSTEM=COMMAND ... [--jobs 2]

SET is a validation set of the scoring tool, NISQA a checkout of github.com/gabrielmittag/NISQA (its
weights are CC BY-NC-SA; it wants torch, librosa, pandas, seaborn, pyyaml and tqdm). COMMAND maps
{in} to {out}, mono at 48 kHz; `noisy` and `clean` are the set's own files. Prints a Markdown table of
means over dry and reverberant mixtures, 1 to 5: overall quality, noisiness, coloration,
discontinuity, loudness (Mittag et al. 2021).
"""

import argparse
import csv
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import soundfile
import soxr

RATE = 48000
COLUMNS = ("mos", "noi", "col", "dis", "loud")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", type=Path)
    parser.add_argument("nisqa", type=Path)
    parser.add_argument("systems", nargs="+", metavar="SYSTEM=COMMAND")
    parser.add_argument("--jobs", type=int, default=1)
    return parser.parse_args()


def mixtures(folder):
    with open(folder / "manifest.csv", newline="") as file:
        return [row for row in csv.DictReader(file) if row["kind"] in ("mix", "mixture")]


def write(source, path):
    samples, rate = soundfile.read(source, dtype="float32", always_2d=True)
    samples = samples[:, 0]
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE)
    soundfile.write(path, samples, RATE, subtype="PCM_16")


def process(folder, row, command, output):
    """Leaves the output as `output`."""
    if command in ("noisy", "clean"):
        write(folder / row[command], output)
        return
    with tempfile.NamedTemporaryFile(suffix=".wav") as source:
        write(folder / row["noisy"], source.name)
        line = command.replace("{in}", source.name).replace("{out}", str(output))
        done = subprocess.run(line, shell=True, capture_output=True, text=True)
    if done.returncode or not output.exists():
        sys.exit(f"{line}\n{done.stderr}")


def judge(nisqa, outputs):
    """NISQA's rows by file name."""
    command = [sys.executable, "run_predict.py", "--mode", "predict_dir", "--bs", "4"]
    command += ["--pretrained_model", "weights/nisqa.tar"]
    command += ["--data_dir", str(outputs), "--output_dir", str(outputs)]
    done = subprocess.run(command, cwd=nisqa, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"NISQA failed:\n{done.stderr}")
    with open(outputs / "NISQA_results.csv", newline="") as file:
        return {row["deg"]: row for row in csv.DictReader(file)}


def means(rows, names):
    chosen = [rows[name] for name in names]
    return [sum(float(row[f"{c}_pred"]) for row in chosen) / len(chosen) for c in COLUMNS]


def main():
    options = arguments()
    rows = mixtures(options.set)
    print("| system | dry " + " | ".join(COLUMNS) + " | reverb " + " | ".join(COLUMNS) + " |")
    print("|---" * (1 + 2 * len(COLUMNS)) + "|")
    for system in options.systems:
        name, _, command = system.partition("=")
        with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(options.jobs) as pool:
            outputs = Path(temporary)
            paths = [outputs / f"{index}.wav" for index in range(len(rows))]
            jobs = zip(rows, paths)
            list(pool.map(lambda job: process(options.set, job[0], command, job[1]), jobs))
            judged = judge(options.nisqa, outputs)
        cells = []
        for reverb in "01":
            files = [p.name for r, p in zip(rows, paths) if (r["reverb"] or "0") == reverb]
            cells += [f"{value:.2f}" for value in means(judged, files)]
        print("| " + " | ".join([name, *cells]) + " |", flush=True)


if __name__ == "__main__":
    main()
