"""Trains a network: python train.py full --minutes 60 [--resume] [--seed 7] [--free-only].

Stop it at any time (SIGTERM or SIGINT writes the checkpoint) and go on with --resume; the learning
rate follows the share of --minutes of computing that is used up. Writes WORK/NAME.pt (everything)
every few minutes, WORK/NAME.best.pt (the best by validation), WORK/NAME.csv (the training curve)
and WORK/NAME.valid.csv. On a CPU it takes one thread; `torchrun --nproc-per-node 2 -- train.py ...`
trains on two cores, each with a batch of its own. `--device cuda --workers 12 --batch 64` is meant
for a GPU, with the mixing on the CPU's cores; only the CPU has been tried so far.
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
from torch import distributed
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

import losses
import quantization
from bank import DEFAULT_WORK, Bank
from checkpoint import load_network, take
from mixer import Mixer
from designs import DESIGNS, make
from network import Denoiser, count_macs
from pool import Pool
from soap import SOAP
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
    parser.add_argument(
        "--fixed-statistics", action="store_true", help="BatchNorm keeps those that it has"
    )
    parser.add_argument("--free-only", action="store_true", help="no GPL, GFDL or BY-SA material")
    parser.add_argument("--float32", action="store_true", help="no bfloat16 anywhere")
    parser.add_argument("--validate", type=Path, help="validation set to score while training")
    parser.add_argument("--validate-steps", type=int, default=500)
    parser.add_argument("--quantized", action="store_true", help="quantization-aware: int8 layers")
    parser.add_argument("--teacher", type=Path, help="checkpoint of a network to learn from, too")
    parser.add_argument("--pool", type=Path, help="mixtures with another system's outputs")
    parser.add_argument(
        "--residue", type=float, default=losses.RESIDUE_WEIGHT, help="weight of noise left alone"
    )
    parser.add_argument(
        "--weigh", nargs="*", default=[], metavar="NAME=WEIGHT", help="constants of losses.py"
    )
    parser.add_argument("--opinion", type=Path, help="DNSMOS's sig_bak_ovr.onnx, to be judged by")
    parser.add_argument("--opinion-every", type=int, default=1, metavar="STEPS")
    parser.add_argument("--device", default="cpu", help="where the network is trained")
    parser.add_argument("--workers", type=int, default=0, help="processes that mix beside it")
    parser.add_argument("--compile", action="store_true", help="fuse the losses' arithmetic")
    parser.add_argument("--steps", type=int, default=0, help="stop after so many steps")
    return parser.parse_args()


class Mixtures(IterableDataset):
    """Endless batches: mixtures, targets, and another system's outputs for the last of them.

    These are half of the batch with a pool, else none. Every process and worker draws others.
    """

    def __init__(self, options, step, rank):
        super().__init__()
        self.options, self.step, self.rank = options, step, rank

    def __iter__(self):
        torch.set_num_threads(1)
        worker = get_worker_info()
        worker_id = worker.id if worker else 0
        seed = (self.options.seed, self.step, self.rank, worker_id)
        bank = Bank(self.options.work, "train", self.options.free_only)
        mixer = Mixer(bank, seed, self.options.seconds)
        pool = Pool(self.options.pool, seed) if self.options.pool else None
        count = self.options.batch // 2 if pool else 0
        while True:
            mixtures, targets = mixer.batch(self.options.batch - count)
            taught = np.zeros((0, mixer.length), np.float32)
            if pool:
                known, wanted, taught = pool.batch(count)
                mixtures = np.concatenate([mixtures, known])
                targets = np.concatenate([targets, wanted])
            yield mixtures, targets, taught


def join():
    """This process's number and how many train together, as `torchrun` tells; else 0 and 1."""
    if "WORLD_SIZE" not in os.environ:
        return 0, 1
    distributed.init_process_group("gloo")
    return distributed.get_rank(), distributed.get_world_size()


def mixtures(options, step, rank):
    """An iterator over triples of tensors (B, samples), mixed in processes beside it if asked."""
    return iter(
        DataLoader(
            Mixtures(options, step, rank),
            batch_size=None,
            num_workers=options.workers,
            pin_memory=options.device != "cpu",
        )
    )


def average_gradients(parameters):
    """Over the processes that train together: a batch of all of theirs."""
    if not distributed.is_initialized():
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    together = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(together)
    together /= distributed.get_world_size()
    for gradient, mean in zip(gradients, together.split([g.numel() for g in gradients])):
        gradient.copy_(mean.view_as(gradient))


def training_mode(network, fixed_statistics):
    """Training mode, in which BatchNorm may keep the statistics that the exported network will have.

    Those of a batch tell the network what kind of item it hears: with a batch of one, white noise alone
    was 84 dB down while it trained and 34 dB with the running statistics.
    """
    network.train()
    if fixed_statistics:
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm1d):
                module.eval()


class Trainer:
    def __init__(self, options):
        self.options = options
        self.device = torch.device(options.device)
        self.rank, self.processes = join()
        self.name = options.name or options.shape
        torch.manual_seed(options.seed)
        self.network = make(options.shape).to(self.device)
        self.denoiser = Denoiser(self.network).to(self.device)
        self.front = self.network.shape.front
        self.average = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.optimiser = self.make_optimiser()
        self.step, self.spent, self.hours, self.skipped = 0, 0.0, 0.0, 0
        self.best = -math.inf
        if options.start:
            self.start(self.read(options.start))
        if options.resume and self.path("pt").exists():
            self.load(self.path("pt"))
        self.teacher = None
        if options.teacher:
            self.teacher = Denoiser(load_network(options.teacher)).to(self.device)
        self.opinion = None
        if options.opinion:
            from opinion import Opinion  # wants the package onnx

            dtype = torch.float32 if options.float32 else torch.bfloat16
            self.opinion = Opinion(options.opinion, self.device, dtype)
        self.mixtures = mixtures(options, self.step, self.rank)
        self.draw = np.random.default_rng((options.seed, self.step, 1))
        self.stopping = False
        losses.weigh(options.weigh)
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
        return SOAP(groups, self.options.rate)

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

    def read(self, path):
        return torch.load(path, weights_only=False, map_location=self.device)

    def load(self, path):
        state = self.read(path)
        self.network.load_state_dict(state["raw"])
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.spent, self.hours = state["step"], state["spent"], state["hours"]
        self.best = state.get("best", -math.inf)

    def start(self, state):
        """Takes over the weights of a checkpoint whose names and shapes fit."""
        take(self.network.state_dict(), state["raw"])
        take(self.average, state["average"])

    # One step

    def learning_rate(self):
        used = min(1.0, self.spent / (60 * self.options.minutes))
        warm = min(1.0, (self.step + 1) / 200)
        return self.options.rate * (0.005 + 0.995 * warm * (0.5 + 0.5 * math.cos(math.pi * used)))

    def autocast(self):
        enabled = not self.options.float32
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def train_step(self):
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate()
        batch = (x.to(self.device, non_blocking=True) for x in next(self.mixtures))
        mixture, target, taught = batch
        noisy = self.front.analysis(mixture)
        clean = self.denoiser.target(self.front.analysis(target))
        with self.autocast(), quantization.enabled(self.options.quantized):
            output, speech = self.denoiser(noisy)
        size = int(self.draw.choice(losses.RESOLUTIONS))
        loss, snr = losses.total(
            output,
            speech,
            clean,
            mixture,
            self.front,
            size,
            self.opinion if self.step % self.options.opinion_every == 0 else None,
            self.options.residue,
        )
        if self.teacher:
            loss = loss + losses.distance(output, self.taught(mixture), mixture, self.front)
        if len(taught):
            loss = loss + losses.LESSON_WEIGHT * self.lesson(output, clean, taught, mixture)
        self.optimiser.zero_grad()
        loss.backward()
        average_gradients(self.network.parameters())
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), 3.0)
        if torch.isfinite(norm):
            self.optimiser.step()
        else:
            self.skipped += 1
        self.step += 1
        self.hours += self.processes * mixture.numel() / 48000 / 3600
        self.follow(min(0.999, self.step / (self.step + 20)))
        return loss.item(), -snr.item()

    def lesson(self, output, clean, taught, mixture):
        """The error against the outputs of the pool, over the whole batch."""
        known = slice(len(mixture) - len(taught), None)
        theirs = self.denoiser.target(self.front.analysis(taught))
        ours, wanted = ([part[known] for part in spectra] for spectra in (output, clean))
        value = losses.lesson(ours, wanted, theirs, mixture[known], self.front)
        return value * len(taught) / len(mixture)

    @torch.no_grad()
    def taught(self, mixture):
        """The teacher's output as spectra of this network's front end."""
        front = self.teacher.front
        with self.autocast():
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
        training_mode(self.network, self.options.fixed_statistics)
        recent, saved = [], time.time()
        while not self.stopping and self.spent < 60 * self.options.minutes:
            started = self.clock()
            recent.append(self.train_step())
            self.agree(self.clock() - started)
            if self.rank > 0:
                continue
            if self.step % 100 == 0:
                self.report(np.mean(recent, 0))
                recent = []
            if self.validation and self.step % self.options.validate_steps == 0:
                self.score()
            if time.time() - saved > 180:
                self.save()
                saved = time.time()
        if self.rank == 0:
            self.save()

    def agree(self, duration):
        """Adds the time of a step, and whether to stop, the same for all that train together."""
        if self.options.steps and self.step >= self.options.steps:
            self.stopping = True
        if self.processes > 1:
            sums = torch.tensor([duration, float(self.stopping)], dtype=torch.float64)
            distributed.all_reduce(sums)
            duration, self.stopping = sums[0].item() / self.processes, sums[1].item() > 0
        self.spent += duration

    def clock(self):
        """Computing time in seconds: of this process, or of the wall clock beside a GPU."""
        return time.process_time() if self.device.type == "cpu" else time.monotonic()

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
