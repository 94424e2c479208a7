"""Sharpens the depth of a photo and moves its edges to the outlines in the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.geometry.edges.defocus import cover_blur
from depth3d.geometry.edges.fairing import fair_outlines
from depth3d.geometry.edges.fringe import cover_fringe
from depth3d.geometry.edges.refine import align_to_picture
from depth3d.geometry.edges.relabel import relabel_by_color
from depth3d.geometry.edges.sharpen import SOFT_SHARE, sharpen, softness
from depth3d.image import Image

__all__ = ["SharpDepth", "sharp_depth"]

Floats = NDArray[np.float32]

NETWORK_SOFT_SHARE = 0.13  # share of the steep pixels: softer maps come from networks, whose edges are a few pixels off
NETWORK_TRAVEL = 4.0  # percent of the width; with less parallax, fewer slopes of the same map are steep


@dataclass(frozen=True, slots=True, eq=False)
class SharpDepth:
    """Depth of a whole photo with its edges sharpened, for ``layers_of_rows``.

    Parameters
    ----------
    shift : Floats
        (H, W) float32, pixels of shift between nearest and farthest.
    travel : float
        The largest shift.
    soft : bool
        Whether the depth map was soft, so that its edges are less exact.
    """

    shift: Floats
    travel: float
    soft: bool


def sharp_depth(image: Image, depth: DepthMap, parallax_percent: float) -> SharpDepth:
    """Convert depth to pixels of shift, and sharpen its edges.

    Parameters
    ----------
    image, depth : Image, DepthMap
        The whole photo and its depth of the same size.
    parallax_percent : float
        Shift between nearest and farthest, percent of the width.
    """
    travel = parallax_percent / 100 * image.size.width
    told = depth.values * np.float32(travel)
    soft, colors = softness(told), image.eight_bit().pixels
    shift = sharpen(told, colors, soft)
    del told
    if _of_network(depth, soft, travel):
        shift = align_to_picture(relabel_by_color(shift, colors), colors, depth.values, travel)
        shift = fair_outlines(cover_blur(cover_fringe(shift, colors), colors))
    return SharpDepth(shift, travel, soft >= SOFT_SHARE)


def _of_network(depth: DepthMap, soft: float, travel: float) -> bool:
    """Whether the map is as soft as a network's; the answer does not depend on how little of it is shown."""
    full = NETWORK_TRAVEL / 100 * depth.size.width
    if soft < NETWORK_SOFT_SHARE and 0 < travel < full:
        soft = softness(depth.values * np.float32(full))
    return soft >= NETWORK_SOFT_SHARE
