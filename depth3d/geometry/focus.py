"""Which depth should stay still: that of the subject."""

from __future__ import annotations

import numpy as np

from depth3d.depthmap import DepthMap

__all__ = ["salient_depth"]

BINS = 64


def salient_depth(depth: DepthMap) -> float:
    """The depth of what is near and in the middle, in [0, 1].

    Every pixel votes for its depth; the middle of the picture counts more than its border (a Gaussian of a
    quarter of each side), near more than far; the votes are smoothed and the highest peak wins. Near things
    cut off by the lower border (a table, the ground) are held down by the Gaussian.
    """
    values = depth.values[:: max(1, depth.size.height // 256), :: max(1, depth.size.width // 256)]
    height, width = values.shape
    y = (np.arange(height) + 0.5) / height - 0.5
    x = (np.arange(width) + 0.5) / width - 0.5
    central = np.exp(-((y[:, None] / 0.25) ** 2 + (x / 0.25) ** 2) / 2)
    votes, edges = np.histogram(values, bins=BINS, range=(0, 1), weights=central * (0.25 + values))
    kernel = np.exp(-((np.arange(-6, 7) / 3.0) ** 2) / 2)
    smooth = np.convolve(votes, kernel, mode="same")
    peak = int(smooth.argmax())
    return float((edges[peak] + edges[peak + 1]) / 2)
