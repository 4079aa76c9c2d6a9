"""Trains a network: python train.py full --minutes 60 [--resume] [--seed 7] [--free-only].

Stop it at any time (SIGTERM or SIGINT writes the checkpoint) and go on with --resume; the learning
rate follows the share of --minutes of computing that is used up. Writes WORK/NAME.pt (everything)
every few minutes, WORK/NAME.best.pt (the best by validation), WORK/NAME.csv (the training curve)
and WORK/NAME.valid.csv. One thread.
"""

import argparse
import csv
import math
import os
import signal
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

import losses
import quantization
from bank import DEFAULT_WORK, Bank
from mixer import Mixer
from designs import DESIGNS, make
from export import load_network
from network import Denoiser, count_macs
from validate import ValidationSet, overall, text


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=DESIGNS)
    parser.add_argument("--name", help="of the output files; the shape's where left out")
    parser.add_argument("--work", type=Path, default=DEFAULT_WORK)
    parser.add_argument("--minutes", type=float, default=60, help="of the whole training")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--start", type=Path, help="checkpoint whose weights to start from")
    parser.add_argument("--free-only", action="store_true", help="no GPL, GFDL or BY-SA material")
    parser.add_argument("--float32", action="store_true", help="no bfloat16 in the network")
    parser.add_argument("--validate", type=Path, help="validation set to score while training")
    parser.add_argument("--validate-steps", type=int, default=500)
    parser.add_argument("--quantized", action="store_true", help="quantization-aware: int8 layers")
    parser.add_argument("--teacher", type=Path, help="checkpoint of a network to learn from, too")
    parser.add_argument("--compile", action="store_true", help="fuse the losses' arithmetic")
    parser.add_argument("--steps", type=int, default=0, help="stop after so many steps")
    return parser.parse_args()


class Trainer:
    def __init__(self, options):
        self.options = options
        self.name = options.name or options.shape
        torch.manual_seed(options.seed)
        self.network = make(options.shape)
        self.denoiser = Denoiser(self.network)
        self.front = self.network.shape.front
        self.average = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.optimiser = self.make_optimiser()
        self.step, self.spent, self.hours, self.skipped = 0, 0.0, 0.0, 0
        self.best = -math.inf
        if options.start:
            self.start(torch.load(options.start, weights_only=False))
        if options.resume and self.path("pt").exists():
            self.load(self.path("pt"))
        self.teacher = Denoiser(load_network(options.teacher)) if options.teacher else None
        bank = Bank(options.work, "train", options.free_only)
        self.mixer = Mixer(bank, (options.seed, self.step), options.seconds)
        self.draw = np.random.default_rng((options.seed, self.step, 1))
        self.stopping = False
        if options.compile:
            losses.compile_pointwise()
        self.validation = ValidationSet(options.validate) if options.validate else None

    def make_optimiser(self):
        decayed = [p for p in self.network.parameters() if p.dim() > 1]
        others = [p for p in self.network.parameters() if p.dim() <= 1]
        groups = [
            {"params": decayed, "weight_decay": 1e-3},
            {"params": others, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, self.options.rate, betas=(0.9, 0.99), fused=True)

    def path(self, suffix):
        return self.options.work / f"{self.name}.{suffix}"

    # State on disk

    def save(self, suffix="pt"):
        state = {
            "shape": self.options.shape,
            "raw": self.network.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "spent": self.spent,
            "hours": self.hours,
            "seed": self.options.seed,
            "best": self.best,
            "command": " ".join(sys.argv),
        }
        temporary = self.path("tmp")
        torch.save(state, temporary)
        temporary.replace(self.path(suffix))

    def load(self, path):
        state = torch.load(path, weights_only=False)
        self.network.load_state_dict(state["raw"])
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.spent, self.hours = state["step"], state["spent"], state["hours"]
        self.best = state.get("best", -math.inf)

    def start(self, state):
        """Takes over the weights of a checkpoint whose names and shapes fit."""
        own = self.network.state_dict()
        for key, value in state["raw"].items():
            if key in own and own[key].shape == value.shape:
                own[key].copy_(value)
                self.average[key] = state["average"][key].to(own[key].dtype)

    # One step

    def learning_rate(self):
        used = min(1.0, self.spent / (60 * self.options.minutes))
        warm = min(1.0, (self.step + 1) / 200)
        return self.options.rate * (0.005 + 0.995 * warm * (0.5 + 0.5 * math.cos(math.pi * used)))

    def train_step(self):
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate()
        mixture, target = map(torch.from_numpy, self.mixer.batch(self.options.batch))
        noisy, clean = self.front.analysis(mixture), self.front.analysis(target)
        bfloat16 = not self.options.float32
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            with quantization.enabled(self.options.quantized):
                output, speech = self.denoiser(noisy)
        size = int(self.draw.choice(losses.RESOLUTIONS))
        loss, snr = losses.total(output, speech, clean, mixture, target, self.front, size)
        if self.teacher:
            loss = loss + losses.distance(output, self.taught(mixture), mixture, self.front)
        self.optimiser.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), 3.0)
        if torch.isfinite(norm):
            self.optimiser.step()
        else:
            self.skipped += 1
        self.step += 1
        self.hours += mixture.numel() / 48000 / 3600
        self.follow(min(0.999, self.step / (self.step + 20)))
        return loss.item(), -snr.item()

    @torch.no_grad()
    def taught(self, mixture):
        """The teacher's output as spectra of this network's front end."""
        front = self.teacher.front
        with torch.autocast("cpu", torch.bfloat16, enabled=not self.options.float32):
            output, _ = self.teacher(front.analysis(mixture))
        return self.front.analysis(front.synthesis(output))

    @torch.no_grad()
    def follow(self, decay):
        """Moves the running average of the weights."""
        for key, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                self.average[key].lerp_(value, 1 - decay)
            else:
                self.average[key].copy_(value)

    # The loop

    def run(self):
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        parameters = sum(p.numel() for p in self.network.parameters())
        macs = count_macs(self.network)
        print(f"{self.name}: {parameters} parameters, {macs} MACs a hop", flush=True)
        self.network.train()
        recent, saved = [], time.time()
        while not self.stopping and self.spent < 60 * self.options.minutes:
            started = time.process_time()
            recent.append(self.train_step())
            self.spent += time.process_time() - started
            if self.step % 100 == 0:
                self.report(np.mean(recent, 0))
                recent = []
            if self.validation and self.step % self.options.validate_steps == 0:
                self.score()
            if time.time() - saved > 180:
                self.save()
                saved = time.time()
            if self.options.steps and self.step >= self.options.steps:
                break
        self.save()

    def report(self, means):
        rate = self.optimiser.param_groups[0]["lr"]
        row = {
            "step": self.step,
            "seconds": round(self.spent),
            "audio_hours": round(self.hours, 2),
            "loss": round(float(means[0]), 4),
            "snr_db": round(float(means[1]), 3),
            "rate": round(rate, 6),
        }
        print(time.strftime("%H:%M:%S"), *row.values(), self.skipped, flush=True)
        append_row(self.path("csv"), row)

    def score(self):
        """Scores the averaged weights and keeps them if they are the best so far."""
        network = make(self.options.shape)
        network.load_state_dict(self.average)
        scores = self.validation.score(network)
        quality = overall(scores)
        print(text(scores), f"overall {quality:.3f}", flush=True)
        measures = {name: round(value, 3) for name, value in scores.items()}
        append_row(self.path("valid.csv"), {"step": self.step, **measures})
        if quality > self.best:
            self.best = quality
            self.save("best.pt")

    def stop(self, *_):
        self.stopping = True


def append_row(path, row):
    new = not path.exists()
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    Trainer(arguments()).run()
