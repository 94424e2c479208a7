"""Train the network that ships with depth3d.

    python examples/train_tiny/train.py WORK/run --start WORK/start.pt --source indoor:0.5 --source scenes:0.5
The run goes on from WORK/run/checkpoint.pt where that exists, so it may be stopped at any moment and resumed with the
same command. The learning rate stays constant and the averaged weights are the result at any time; at the end,
`--cooldown PICTURES` lowers the rate to 0 over so many more pictures and ends the run.

Trains on an accelerator where torch finds one, else on the CPU as `--workers` processes of one thread each that
share their gradients. WORK/run/log.csv keeps the numbers.
"""

import argparse
import copy
import csv
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from feeder import Feeder
from losses import depth_loss
from metrics import Scores, mean_scores, score
from pairs import Pairs
from precision import is_bfloat16_fast, keep_depthwise_in_float32
from pretrained import MEAN, STD, load_imagenet
from safetensors.torch import load_file
from torch import Tensor, distributed

from depth3d.depth.card import AreaRule
from depth3d.depth.models.tiny.layout import FEATURE_STAGES
from depth3d.depth.models.tiny.network import TinyNetwork
from depth3d.image import Size

EDITION = 2
REMEMBERED = 128
"""Batches whose features `--replay` keeps."""
HEAD = ("project.0.", "fuse.0.", "head1.", "detail.", "head2.", "refine.", "head3.")
"""Layers that `--head-only` trains: what runs at 1/4 and 1/2 of the picture's size."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument(
        "--source", action="append", required=True, metavar="NAME:SHARE", help="folder beside WORK and its share"
    )
    parser.add_argument("--check", action="append", default=[], metavar="NAME", help="folder to validate on")
    parser.add_argument("--start", type=Path, help="checkpoint or safetensors file whose weights begin a new run")
    parser.add_argument("--cooldown", type=int, default=0, metavar="PICTURES", help="end the run over so many pictures")
    parser.add_argument("--size", default="224x320", help="training height x width, multiples of 32")
    parser.add_argument("--check-size", default="192x256", help="height x width of validation")
    parser.add_argument("--batch", type=int, default=8, help="pictures per worker and step")
    parser.add_argument("--rate", type=float, default=5e-4, help="learning rate of the decoder")
    parser.add_argument("--encoder-rate", type=float, default=1.5e-4, help="learning rate of the encoder")
    parser.add_argument(
        "--frozen", type=int, default=2, help="first stages of the encoder that keep their ImageNet weights, 7 = all"
    )
    parser.add_argument("--head-only", action="store_true", help="train the finest fusion and the head only")
    parser.add_argument(
        "--replay", type=int, default=1, help="with --head-only: steps per batch, all but one on batches of before"
    )
    parser.add_argument(
        "--relative",
        action="store_true",
        help="scale the rates by the size of each layer's weights, as --head-only does",
    )
    parser.add_argument("--ranking", type=float, default=0.2, help="weight of the ranking loss at depth edges")
    parser.add_argument("--log-depth", type=float, default=0.0, help="weight of the difference of log depth")
    parser.add_argument("--decay", type=float, default=0.998, help="of the average of the weights, per step")
    parser.add_argument("--every", type=float, default=5.0, help="minutes between checkpoints")
    parser.add_argument(
        "--validate", type=float, default=15.0, help="minutes between validations, each a row of the log"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes on the CPU, one thread each")
    parser.add_argument("--feeders", type=int, default=1, help="threads per worker that prepare pictures")
    parser.add_argument(
        "--minutes", type=float, default=0.0, help="stop after so many minutes, to be resumed; 0 = never"
    )
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def to_input(pictures: Tensor, device: torch.device) -> Tensor:
    """(N, H, W, 3) uint8 -> (N, 3, H, W) normalized, channels last."""
    return (pictures.to(device).permute(0, 3, 1, 2).float() / 255.0 - MEAN) / STD


@torch.inference_mode()
def validate(network: TinyNetwork, pairs: Pairs, size: str, device: torch.device, limit: int = 40) -> Scores:
    """Mean scores at about `size` pixels, over at most `limit` pictures spread over the source."""
    height, width = (int(side) for side in size.split("x"))
    rule = AreaRule(width, other=height)
    scores = []
    for index in np.unique(np.linspace(0, len(pairs) - 1, limit).astype(int)):
        picture, inverse = pairs[int(index)]
        net = rule.net_size(Size(picture.shape[1], picture.shape[0]))
        small = cv2.resize(picture, (net.width, net.height), interpolation=cv2.INTER_AREA)
        guess = network(to_input(torch.from_numpy(small)[None], device))[0].float().cpu().numpy()
        scores.append(score(cv2.resize(guess, inverse.shape[::-1], interpolation=cv2.INTER_LINEAR), inverse))
    return mean_scores(scores)


def relative_rate(parameter: Tensor) -> float:
    """Learning rate of weights relative to their size, 1 for a bias (after Shazeer and Stern, Adafactor, 2018, 8)."""
    return float((parameter.detach().square().mean().sqrt() / 0.1).clamp(0.05, 1.0)) if parameter.dim() > 1 else 1.0


class Trainer:
    """Network, running average of its weights, optimizer and learning rate."""

    def __init__(self, options: argparse.Namespace, rank: int) -> None:
        self.options, self.rank = options, rank
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.bfloat16 = is_bfloat16_fast(self.device)
        self.network = TinyNetwork(EDITION).to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval()
        if self.bfloat16 and self.device.type == "cpu":
            keep_depthwise_in_float32(self.network)
        if options.head_only:
            options.frozen = len(self.network.encoder.stages)
            for name, parameter in self.network.named_parameters():
                parameter.requires_grad_(name.startswith(HEAD))
            groups = [{"params": [p], "peak": options.rate} for p in self.network.parameters() if p.requires_grad]
        else:
            decoder = [p for name, p in self.network.named_parameters() if not name.startswith("encoder.")]
            groups = [{"params": decoder, "peak": options.rate}]
        trained = [p for stage in self.network.encoder.stages[max(options.frozen, 0) :] for p in stage.parameters()]
        if trained:
            groups.append({"params": trained, "peak": options.encoder_rate})
        if options.relative:
            groups = [{"params": [p], "peak": group["peak"]} for group in groups for p in group["params"]]
        self.optimizer = torch.optim.AdamW(groups, lr=0.0, weight_decay=0.01, betas=(0.9, 0.99))
        self.step, self.pictures, self.elapsed = 0, 0, 0.0
        self.cooled = 0  # pictures of the cool-down so far
        self.memory: deque[tuple[tuple[Tensor, ...], Tensor]] = deque(maxlen=REMEMBERED)
        self.weights = {"ranking_weight": options.ranking, "log_weight": options.log_depth}
        self.wants_stop = self.stops = False
        self.checkpoint = options.work / "checkpoint.pt"
        self.restore()

    def restore(self) -> None:
        """Load the run's checkpoint, or the averaged weights of `--start`, or those of ImageNet."""
        start = self.options.start
        if not self.checkpoint.exists():
            if start is None:
                load_imagenet(self.network.encoder, EDITION)
            elif start.suffix == ".safetensors":
                self.network.load_state_dict({name: tensor.float() for name, tensor in load_file(start).items()})
            else:
                state = torch.load(start, map_location=self.device, weights_only=True)
                self.network.load_state_dict(state["average"])
            self.average.load_state_dict(self.network.state_dict())
            return
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        peaks = [group["peak"] for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state["optimizer"])
        for group, peak in zip(self.optimizer.param_groups, peaks, strict=True):
            group["peak"] = peak
        self.step, self.pictures, self.elapsed = state["step"], state["pictures"], state["elapsed"]
        self.cooled = state["cooled"]

    def save(self) -> None:
        """Write the checkpoint, by rename; the one before stays as `checkpoint.before.pt`."""
        state: dict[str, Any] = {"network": self.network.state_dict(), "average": self.average.state_dict()}
        state |= {"optimizer": self.optimizer.state_dict(), "step": self.step, "pictures": self.pictures}
        state |= {"elapsed": self.elapsed, "cooled": self.cooled}
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        if self.checkpoint.exists():
            before = self.checkpoint.with_suffix(".before.pt")
            before.unlink(missing_ok=True)
            os.link(self.checkpoint, before)
        partial.rename(self.checkpoint)

    @property
    def is_over(self) -> bool:
        """Whether the cool-down has ended."""
        return bool(self.options.cooldown) and self.cooled >= self.options.cooldown

    def set_rates(self) -> None:
        """Warm up over 50 steps, then constant; during the cool-down, down to 0 in a straight line."""
        factor = min((self.step + 1) / 50.0, 1.0)
        if self.options.cooldown:
            factor *= max(1.0 - self.cooled / self.options.cooldown, 0.0)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
            if self.options.head_only or self.options.relative:
                group["lr"] *= relative_rate(group["params"][0])

    def share(self) -> None:
        """Average the gradients over the workers; one that wants to stop stops all."""
        if not distributed.is_initialized():
            self.stops = self.wants_stop
            return
        gradients = [p.grad for group in self.optimizer.param_groups for p in group["params"] if p.grad is not None]
        flat = torch.cat([*(gradient.flatten() for gradient in gradients), torch.tensor([float(self.wants_stop)])])
        distributed.all_reduce(flat)
        self.stops = bool(flat[-1] > 0)
        parts = (flat[:-1] / self.options.workers).split([gradient.numel() for gradient in gradients])
        for gradient, mean in zip(gradients, parts, strict=True):
            gradient.copy_(mean.view_as(gradient))

    def encode(self, x: Tensor) -> list[Tensor]:
        """The encoder's features, without a backward pass through its frozen stages."""
        encoder, features = self.network.encoder, []
        with torch.no_grad():
            x = encoder.stem(x)
        for index, stage in enumerate(encoder.stages):
            with torch.set_grad_enabled(index >= self.options.frozen):
                x = stage(x)
            if index in FEATURE_STAGES:
                features.append(x)
        return features

    def learn(self, pictures: Tensor, inverses: Tensor) -> float:
        """One step, or with `--replay` several; returns the loss."""
        x = to_input(pictures, self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            features = self.encode(x)
            if not self.options.head_only:
                return self.descend(lambda: self.network.decode(features), inverses)
            with torch.no_grad():
                kept = (self.network.fuse_coarse(features), features[0], features[1])
        self.memory.append((kept, inverses))
        again = torch.randint(len(self.memory), (self.options.replay - 1,)).tolist()
        losses = []
        for planes, depths in [self.memory[-1], *(self.memory[index] for index in again)]:
            losses.append(self.descend(lambda planes=planes: self.network.finish(*planes), depths))
        return float(np.mean(losses))

    def descend(self, predict: Callable[[], Tensor], inverses: Tensor) -> float:
        """One step on a batch; returns the loss."""
        self.set_rates()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            prediction = predict()
        loss = depth_loss(prediction, inverses.to(self.device), **self.weights)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.share()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        seen = len(inverses) * self.options.workers
        self.step, self.pictures = self.step + 1, self.pictures + seen
        self.cooled = self.cooled + seen if self.options.cooldown else 0
        decay = min(self.options.decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1.0 - decay)
        return float(loss.detach())


def report(trainer: Trainer, checks: dict[str, Pairs], losses: list[float]) -> None:
    """Validate and add a row to the log."""
    options = trainer.options
    row: dict[str, object] = {"minutes": round(trainer.elapsed / 60, 1), "step": trainer.step}
    row |= {"pictures": trainer.pictures, "size": options.size, "loss": round(float(np.mean(losses or [0.0])), 4)}
    for name, pairs in checks.items():
        pairs.refresh()
        scores = validate(trainer.average, pairs, options.check_size, trainer.device)
        row |= {f"{name} {key}": round(value, 4) for key, value in scores._asdict().items()}
    with (options.work / "log.csv").open("a", newline="") as stream:
        writer = csv.DictWriter(stream, list(row))
        if stream.tell() == 0:
            writer.writeheader()
        writer.writerow(row)
    print(row, flush=True)


def work(rank: int, options: argparse.Namespace) -> None:
    """Train in one process until the run ends or its parent does; worker 0 writes checkpoint and log."""
    parent = os.getppid()
    torch.set_num_threads(1)
    trainer = Trainer(options, rank)
    torch.manual_seed(hash((options.seed, rank, trainer.step)))
    if options.workers > 1:
        place = f"file://{(options.work / 'meeting').resolve()}"
        distributed.init_process_group("gloo", init_method=place, rank=rank, world_size=options.workers)
    feeder = Feeder(options, rank, trainer.step)
    checks = {name: Pairs(options.work.parent / name) for name in options.check}
    losses: list[float] = []
    if rank == 0 and trainer.step == 0:
        report(trainer, checks, losses)
    began = before = saved = validated = time.monotonic()
    ends = False
    while not ends:
        losses.append(trainer.learn(*feeder.get()))
        now = time.monotonic()
        trainer.elapsed, before = trainer.elapsed + now - before, now
        is_orphan = options.workers > 1 and os.getppid() != parent  # the main process was killed
        trainer.wants_stop = is_orphan or 0 < 60.0 * options.minutes < now - began
        ends = trainer.is_over or trainer.stops
        if rank == 0 and (now - saved > 60.0 * options.every or ends):
            saved = now
            trainer.save()
        if rank == 0 and not is_orphan and (now - validated > 60.0 * options.validate or ends):
            validated = now
            report(trainer, checks, losses)
            losses.clear()


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
