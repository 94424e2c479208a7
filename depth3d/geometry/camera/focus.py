"""Chooses from the depth map the depth that does not move, and the camera path with the least disocclusion."""

from __future__ import annotations

import numpy as np

from depth3d.depthmap import DepthMap

__all__ = ["least_occlusion_path", "salient_depth"]

BINS = 64
GAP_STEP = 0.05  # share of the depth range: smaller steps open no visible gap
CIRCLE_BONUS = 0.7  # a circle shows more depth than a swing for the same gaps


def salient_depth(*depths: DepthMap) -> float:
    """Depth of the subject, in [0, 1]: the fixed depth of an animation and the convergence depth in stereo.

    A histogram of depth with 64 bins, in which every pixel has the weight depth x centrality (a Gaussian with a
    standard deviation of a quarter of each side). Near pixels count more and the farthest pixels have weight 0, so
    that the sky is never chosen. The histogram is smoothed and the center of its highest bin is returned. The Gaussian
    reduces the weight of near objects at the lower border (a table, the ground).

    Parameters
    ----------
    *depths : DepthMap
        One photo's depth, or some frames of one shot: their histograms are added.
    """
    votes = np.zeros(BINS)
    for depth in depths:
        values = depth.values[:: max(1, depth.size.height // 256), :: max(1, depth.size.width // 256)]
        height, width = values.shape
        y = (np.arange(height) + 0.5) / height - 0.5
        x = (np.arange(width) + 0.5) / width - 0.5
        central = np.exp(-((y[:, None] / 0.25) ** 2 + (x / 0.25) ** 2) / 2)
        votes += np.histogram(values, bins=BINS, range=(0, 1), weights=central * values)[0]
    kernel = np.exp(-((np.arange(-6, 7) / 3.0) ** 2) / 2)
    peak = int(np.convolve(votes, kernel, mode="same").argmax())
    return (peak + 0.5) / BINS


def least_occlusion_path(depth: DepthMap) -> str:
    """The path among "circle", "swing" and "push" with the smallest disoccluded area for the same amount.

    The gap at a depth step is as wide as the step times the component of the camera motion perpendicular to it:
    sideways motion opens gaps at vertical outlines; a push opens gaps at outlines that face away from the picture
    center, the wider the closer they are to the border.
    """
    values = depth.values[:: max(1, depth.size.height // 256), :: max(1, depth.size.width // 256)]
    upright, lying = np.abs(np.diff(values, axis=1)), np.abs(np.diff(values, axis=0))
    upright, lying = (np.where(step > GAP_STEP, step, 0) for step in (upright, lying))
    height, width = values.shape
    off_x = np.abs(np.linspace(-0.5, 0.5, upright.shape[1])) if width > 1 else np.zeros(0)
    off_y = np.abs(np.linspace(-0.5, 0.5, lying.shape[0])) if height > 1 else np.zeros(0)
    costs = {
        "circle": CIRCLE_BONUS * float(upright.sum() + lying.sum()),
        "swing": float(upright.sum()),
        "push": 2 * float((upright * off_x).sum() + (lying * off_y[:, None]).sum()),
    }
    return min(costs, key=lambda name: (costs[name], name))
