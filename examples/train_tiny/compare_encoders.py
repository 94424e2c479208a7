"""Compare encoders: ridge regression of inverse depth from frozen ImageNet features, on the indoor pairs.

    python examples/train_tiny/compare_encoders.py WORK
Trains on every second pair, at 1/16 of the input size, and scores every second pair held back.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from losses import normalize
from metrics import Scores, mean_scores, score
from pairs import Pairs
from pretrained import MEAN, STD, load_imagenet
from torch import Tensor
from torch.nn import functional

from depth3d.depth.models.tiny.layout import EDITIONS
from depth3d.depth.models.tiny.network import Encoder

CASES = ((1, 192, 256), (2, 192, 256), (1, 224, 320))
"""Edition, whose encoder is EfficientNet-Lite0 or -Lite1, and height and width of the input."""


def features(encoder: Encoder, picture: np.ndarray, height: int, width: int) -> Tensor:
    """Features of a picture at 1/8, 1/16 and 1/32, their mean, and the row; (K, height / 16, width / 16)."""
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    x = (torch.from_numpy(small)[None].permute(0, 3, 1, 2).float() / 255.0 - MEAN) / STD
    eighth, sixteenth, last = encoder(x)[2:]
    size = sixteenth.shape[2:]
    row = torch.linspace(-1, 1, size[0])[None, None, :, None].expand(1, 1, *size)
    coarse = functional.interpolate(last, size=size, mode="bilinear", align_corners=False)
    mean = last.mean((2, 3), keepdim=True).expand(-1, -1, *size)
    parts = [functional.avg_pool2d(eighth, 2), sixteenth, coarse, mean, row, row**2, torch.ones_like(row)]
    return torch.cat(parts, dim=1)[0]


@torch.inference_mode()
def measure(edition: int, height: int, width: int, train: Pairs, held_back: Pairs, ridge: float = 0.1) -> Scores:
    """Scores of the regression for one encoder and input size."""
    encoder = Encoder(EDITIONS[edition].repeats).eval()
    load_imagenet(encoder, edition)
    square, mixed = torch.zeros(()), torch.zeros(())
    for index in range(0, len(train), 2):
        picture, inverse = train[index]
        seen = features(encoder, picture, height, width)
        small = cv2.resize(inverse, seen.shape[:0:-1], interpolation=cv2.INTER_AREA)
        goal = normalize(torch.from_numpy(small)[None], torch.ones(1, *small.shape, dtype=torch.bool)).flatten()
        flat = seen.flatten(1).double()
        square, mixed = square + flat @ flat.T, mixed + flat @ goal.double()
    weights = torch.linalg.solve(square + ridge * torch.diag(square.diagonal()), mixed).float()
    scores = []
    for index in range(0, len(held_back), 2):
        picture, inverse = held_back[index]
        guess = torch.tensordot(weights, features(encoder, picture, height, width), dims=1).numpy()
        scores.append(score(cv2.resize(guess, inverse.shape[::-1], interpolation=cv2.INTER_LINEAR), inverse))
    return mean_scores(scores)


def main(work: Path) -> None:
    """Print a line per case."""
    torch.set_num_threads(1)
    train, held_back = Pairs(work / "indoor"), Pairs(work / "indoor_held_back")
    for edition, height, width in CASES:
        found = measure(edition, height, width, train, held_back)
        print(f"Lite{edition - 1} {width} x {height}: AbsRel {found.absrel:.3f} delta1 {found.delta1:.3f}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
