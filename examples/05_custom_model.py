"""Your own depth network as a depth3d model: a card and a function that builds it.

`python 05_custom_model.py [FOLDER]` writes the depth of a photo as a 16-bit picture.

Here the network is a toy: what is sharp and low in the picture is near. Any torch module that takes (N, 3, H, W)
normalized pictures and returns (N, H, W) fits in the same way; with a ``WeightsFile`` on the card its weights are
fetched, checked and loaded too. A package offers its cards to everybody by an entry point:

    [project.entry-points."depth3d.models"]
    mine = "my_package:CARD"
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import torch
from torch.nn import functional

import depth3d as d3
from depth3d.depth.card import IMAGENET, InputRule, ModelCard


class Sharpness(torch.nn.Module):
    """Local contrast at a coarse scale, plus the row."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        gray = pictures.mean(dim=1, keepdim=True)
        contrast = (gray - functional.avg_pool2d(gray, 9, 1, 4)).abs()
        coarse = functional.avg_pool2d(contrast, 31, 1, 15, count_include_pad=False)[:, 0]
        rows = torch.linspace(0, 1, gray.shape[2])[None, :, None]
        return coarse / coarse.amax().clamp_min(1e-6) + rows


def build(card: ModelCard) -> torch.nn.Module:
    return Sharpness()


CARD = ModelCard(
    name="sharpness",
    build=build,
    weights=None,
    input=InputRule(256, method="upper_bound", normalization=IMAGENET),
    license="MIT",
    source="an example",
)


HERE = Path(__file__).parent
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd()

d3.register(CARD)
depth = d3.estimate_depth(d3.open_image(HERE / "coffee.jpg"), model="sharpness")
cv2.imwrite(str(folder / "coffee_depth.png"), (depth.values * 65535).round().astype("uint16"))
print(folder / "coffee_depth.png")
