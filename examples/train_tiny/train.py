"""Train the network that ships with depth3d.

    python examples/train_tiny/train.py WORK --source indoor:0.5 --source scenes:0.5 --minutes 45 --size 160x224
Every run continues from WORK/checkpoint.pt where that exists, so it may be stopped at any point; `--start FILE` begins
a new schedule from the averaged weights of a checkpoint. Runs on an accelerator where torch finds one, else on the
CPU as `--workers` processes of one thread each that share their gradients: on busy cores threads wait for each other
far too often. WORK/log.csv keeps the numbers.
"""

import argparse
import copy
import csv
import math
import queue
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from augment import augment
from losses import depth_loss
from metrics import Scores, mean_scores, score
from pairs import Pairs
from pretrained import MEAN, STD, load_imagenet
from torch import Tensor, distributed

from depth3d.depth.models.tiny import FEATURE_STAGES, TinyNetwork


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument(
        "--source", action="append", required=True, metavar="NAME:SHARE", help="folder in WORK and its share"
    )
    parser.add_argument("--check", action="append", default=[], metavar="NAME", help="folder in WORK to validate on")
    parser.add_argument("--start", type=Path, help="checkpoint whose averaged weights start a new schedule")
    parser.add_argument("--minutes", type=float, default=30.0, help="length of the schedule in wall-clock time")
    parser.add_argument("--size", default="160x224", help="training height x width, multiples of 32")
    parser.add_argument("--batch", type=int, default=8, help="pictures per worker and step")
    parser.add_argument("--rate", type=float, default=6e-4, help="peak learning rate of the decoder")
    parser.add_argument("--encoder-rate", type=float, default=1.5e-4, help="peak learning rate of the encoder")
    parser.add_argument(
        "--frozen", type=int, default=3, help="stages of the encoder that stay as ImageNet left them, 7 = all"
    )
    parser.add_argument("--every", type=float, default=4.0, help="minutes between checkpoints with validation")
    parser.add_argument("--workers", type=int, default=2, help="processes on the CPU, one thread each")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


class Feeder:
    """Makes augmented batches in a thread of its own; batch n depends on the seed, the worker and n only."""

    def __init__(self, options: argparse.Namespace, rank: int, first: int) -> None:
        named = [source.split(":") for source in options.source]
        self.pairs = [Pairs(options.work.parent / name) for name, _ in named]
        self.shares = np.array([float(share) for _, share in named])
        height, width = (int(side) for side in options.size.split("x"))
        self.size, self.batch, self.seed, self.next = (height, width), options.batch, (options.seed, rank), first
        self.ready: queue.Queue[tuple[Tensor, Tensor]] = queue.Queue(maxsize=6)
        threading.Thread(target=self.run, daemon=True).start()

    def shape(self, rng: np.random.Generator) -> tuple[int, int]:
        """Mostly landscape; sometimes square, upright or wide, at about the same number of pixels."""
        height, width = self.size
        side = round((height * width) ** 0.5 / 32) * 32
        shapes = [(height, width), (side, side), (width, height), (height - 32, width + 32)]
        return shapes[rng.choice(4, p=[0.6, 0.15, 0.15, 0.1])]

    def run(self) -> None:
        """Fill the queue for ever."""
        cv2.setNumThreads(1)
        while True:
            rng = np.random.default_rng((*self.seed, self.next))
            self.next += 1
            if self.next % 50 == 0:
                for pairs in self.pairs:
                    pairs.refresh()
            shares = self.shares * [len(pairs) > 0 for pairs in self.pairs]
            height, width = self.shape(rng)
            made = []
            for choice in rng.choice(len(shares), self.batch, p=shares / shares.sum()):
                pairs = self.pairs[choice]
                made.append(augment(*pairs[int(rng.integers(len(pairs)))], height, width, rng))
            pictures = torch.from_numpy(np.stack([picture for picture, _ in made]))
            self.ready.put((pictures, torch.from_numpy(np.stack([inverse for _, inverse in made]))))


def to_input(pictures: Tensor, device: torch.device) -> Tensor:
    """(N, H, W, 3) uint8 -> (N, 3, H, W) as the encoder knows pictures; channels last, for bfloat16's speed."""
    return (pictures.to(device).permute(0, 3, 1, 2).float() / 255.0 - MEAN) / STD


@torch.inference_mode()
def validate(network: TinyNetwork, pairs: Pairs, device: torch.device, limit: int = 96) -> Scores:
    """Mean scores at 192 x 256."""
    scores = []
    for index in range(min(len(pairs), limit)):
        picture, inverse = pairs[index]
        small = cv2.resize(picture, (256, 192), interpolation=cv2.INTER_AREA)
        guess = network(to_input(torch.from_numpy(small)[None], device))[0].float().cpu().numpy()
        guess = cv2.resize(guess, inverse.shape[::-1], interpolation=cv2.INTER_LINEAR)
        scores.append(score(guess, inverse))
    return mean_scores(scores)


class Trainer:
    """Network, its running average, optimiser and schedule."""

    def __init__(self, options: argparse.Namespace, rank: int) -> None:
        self.options, self.rank = options, rank
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = TinyNetwork().to(self.device, memory_format=torch.channels_last)
        load_imagenet(self.network.encoder)
        self.average = copy.deepcopy(self.network).eval()
        decoder = [p for name, p in self.network.named_parameters() if not name.startswith("encoder.")]
        groups = [{"params": decoder, "peak": options.rate}]
        trained = [p for stage in self.network.encoder.stages[options.frozen :] for p in stage.parameters()]
        if trained:
            groups.append({"params": trained, "peak": options.encoder_rate})
        self.optimiser = torch.optim.AdamW(groups, lr=0.0, weight_decay=0.01, betas=(0.9, 0.99))
        self.step, self.elapsed = 0, 0.0  # elapsed seconds are agreed on by all workers, clock is this one's own
        self.checkpoint = options.work / "checkpoint.pt"
        self.restore()
        self.clock = self.elapsed

    def restore(self) -> None:
        """Continue an interrupted run, or start from another run's averaged weights."""
        source = self.checkpoint if self.checkpoint.exists() else self.options.start
        if source is None:
            return
        state = torch.load(source, map_location=self.device, weights_only=True)
        if source != self.checkpoint:
            self.network.load_state_dict(state["average"])
            self.average.load_state_dict(state["average"])
            return
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.elapsed = state["step"], state["elapsed"]

    def save(self) -> None:
        """Write the checkpoint, by rename."""
        state: dict[str, Any] = {"network": self.network.state_dict(), "average": self.average.state_dict()}
        state |= {"optimiser": self.optimiser.state_dict(), "step": self.step, "elapsed": self.elapsed}
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.rename(self.checkpoint)

    def set_rates(self) -> None:
        """A short warm-up, then a cosine down to 2 % of the peak at the end of the schedule."""
        progress = min(self.elapsed / (60.0 * self.options.minutes), 1.0)
        factor = min((self.step + 1) / 100.0, 1.0) * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * progress)))
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * factor

    def share(self) -> None:
        """Average the gradients over the workers; worker 0's clock travels along, so that all end together."""
        if not distributed.is_initialized():
            self.elapsed = self.clock
            return
        gradients = [p.grad for group in self.optimiser.param_groups for p in group["params"] if p.grad is not None]
        clock = torch.tensor([self.clock if self.rank == 0 else 0.0])
        flat = torch.cat([gradient.flatten() for gradient in gradients] + [clock])
        distributed.all_reduce(flat)
        self.elapsed = float(flat[-1])
        for gradient, mean in zip(
            gradients, (flat[:-1] / self.options.workers).split([g.numel() for g in gradients]), strict=True
        ):
            gradient.copy_(mean.view_as(gradient))

    def encode(self, x: Tensor) -> list[Tensor]:
        """The encoder's features; its frozen stages cost no backward pass."""
        encoder, features = self.network.encoder, []
        with torch.set_grad_enabled(self.options.frozen < 0):
            x = encoder.stem(x)
        for index, stage in enumerate(encoder.stages):
            with torch.set_grad_enabled(index >= self.options.frozen):
                x = stage(x)
            if index in FEATURE_STAGES:
                features.append(x)
        return features

    def learn(self, pictures: Tensor, inverses: Tensor) -> float:
        """One step; returns the loss."""
        self.set_rates()
        x = to_input(pictures, self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            prediction = self.network.decode(self.encode(x))
        loss = depth_loss(prediction, inverses.to(self.device))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.share()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        decay = min(0.998, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1.0 - decay)
        return float(loss.detach())


def report(trainer: Trainer, checks: dict[str, Pairs], losses: list[float]) -> None:
    """Validate and add a row to the log."""
    options = trainer.options
    row: dict[str, object] = {"minutes": round(trainer.elapsed / 60, 1), "step": trainer.step}
    row |= {"pictures": trainer.step * options.batch * options.workers, "size": options.size}
    row |= {"loss": round(float(np.mean(losses)), 4)}
    for name, pairs in checks.items():
        pairs.refresh()
        for key, value in validate(trainer.average, pairs, trainer.device)._asdict().items():
            row[f"{name} {key}"] = round(value, 4)
    with (options.work / "log.csv").open("a", newline="") as stream:
        writer = csv.DictWriter(stream, list(row))
        if stream.tell() == 0:
            writer.writeheader()
        writer.writerow(row)
    print(row, flush=True)


def work(rank: int, options: argparse.Namespace) -> None:
    """One worker's life: train until the schedule ends; worker 0 keeps checkpoint and log."""
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    if options.workers > 1:
        place = f"file://{(options.work / 'meeting').resolve()}"
        distributed.init_process_group("gloo", init_method=place, rank=rank, world_size=options.workers)
    trainer = Trainer(options, rank)
    feeder = Feeder(options, rank, trainer.step)
    checks = {name: Pairs(options.work.parent / name) for name in options.check}
    losses: list[float] = []
    before = last = time.monotonic()
    while trainer.elapsed < 60.0 * options.minutes:
        losses.append(trainer.learn(*feeder.ready.get()))
        now = time.monotonic()
        if rank == 0 and (now - last > 60.0 * options.every or trainer.elapsed >= 60.0 * options.minutes):
            last = now
            trainer.save()
            report(trainer, checks, losses)
            losses.clear()
        trainer.clock += now - before
        before = now


def main() -> None:
    """Start the workers: several processes on the CPU, this one on an accelerator."""
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    (options.work / "meeting").unlink(missing_ok=True)
    if torch.cuda.is_available():
        options.workers = 1
    if options.workers == 1:
        work(0, options)
    else:
        torch.multiprocessing.spawn(work, (options,), nprocs=options.workers)


if __name__ == "__main__":
    main()
