"""Batches for the trainer: pictures of several sources, augmented, in several shapes."""

import argparse
import queue
import threading

import cv2
import numpy as np
import torch
from augment import augment
from pairs import Pairs
from torch import Tensor

Batch = tuple[Tensor, Tensor]


class Feeder:
    """Makes augmented batches in threads of its own; batch n depends on the seed, the worker and n only."""

    def __init__(self, options: argparse.Namespace, rank: int, first: int) -> None:
        named = [source.split(":") for source in options.source]
        self.pairs = [Pairs(options.work.parent / name) for name, _ in named]
        if not any(len(pairs) for pairs in self.pairs):
            raise FileNotFoundError(f"no pictures in {[str(pairs.folder) for pairs in self.pairs]}")
        self.shares = np.array([float(share) for _, share in named])
        height, width = (int(side) for side in options.size.split("x"))
        self.size, self.batch, self.seed, self.next = (height, width), options.batch, (options.seed, rank), first
        self.lock = threading.Lock()
        self.ready: list[queue.Queue[Batch | Exception]] = [queue.Queue(2) for _ in range(options.feeders)]
        for lane in range(options.feeders):
            threading.Thread(target=self.run, args=(lane, first), daemon=True).start()

    def get(self) -> Batch:
        """The next batch: pictures (N, H, W, 3) uint8 and inverse depths (N, H, W)."""
        batch = self.ready[self.next % len(self.ready)].get()
        if isinstance(batch, Exception):
            raise batch
        self.next += 1
        return batch

    def shape(self, rng: np.random.Generator) -> tuple[int, int]:
        """Random height and width of a batch, of about the same number of pixels: 30 % upright, 15 % square."""
        height, width = self.size
        side = round((height * width) ** 0.5 / 32) * 32
        shapes = [(height, width), (side, side), (width, height), (max(height - 32, 32), width + 32)]
        return shapes[rng.choice(4, p=[0.45, 0.15, 0.3, 0.1])]

    def choose(self, rng: np.random.Generator, pairs: Pairs, upright: bool) -> int:
        """Index of a random pair, preferably of the batch's orientation."""
        index = int(rng.integers(len(pairs)))
        for _ in range(4):
            if pairs.is_upright(index) == upright:
                break
            index = int(rng.integers(len(pairs)))
        return index

    def run(self, lane: int, first: int) -> None:
        """Fill one queue; an error ends up in the queue too, or training would wait forever."""
        try:
            self.fill(lane, first)
        except Exception as error:
            self.ready[lane].put(error)

    def fill(self, lane: int, first: int) -> None:
        """Fill one queue forever with every n-th batch, n being the number of threads."""
        cv2.setNumThreads(1)
        lanes = len(self.ready)
        number = first + (lane - first) % lanes
        while True:
            rng = np.random.default_rng((*self.seed, number))
            if number % 50 == 0:
                with self.lock:
                    for pairs in self.pairs:
                        pairs.refresh()
            shares = self.shares * [len(pairs) > 0 for pairs in self.pairs]
            height, width = self.shape(rng)
            made = []
            for choice in rng.choice(len(shares), self.batch, p=shares / shares.sum()):
                pairs = self.pairs[choice]
                made.append(augment(*pairs[self.choose(rng, pairs, height > width)], height, width, rng))
            pictures = torch.from_numpy(np.stack([picture for picture, _ in made]))
            self.ready[lane].put((pictures, torch.from_numpy(np.stack([inverse for _, inverse in made]))))
            number += lanes
