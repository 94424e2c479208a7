"""Depth as soft as a network's is moved to the outlines of the picture; measured depth stays where it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depth3d.depthmap import DepthMap
from depth3d.geometry.edges.outlines import sharp_depth
from depth3d.image import Image


@pytest.mark.parametrize(("parallax", "blurred", "edge"), [(4.0, True, 300), (1.0, True, 300), (1.0, False, 304)])
def test_a_network_is_known_by_its_map_whatever_is_shown_of_it(parallax: float, blurred: bool, edge: int) -> None:
    """A step 4 px beside the outline moves to it if another is blurred, also where that one is flat."""
    dice = np.random.default_rng(0)
    color = np.full((240, 640, 3), (60, 70, 160), np.float32)
    color[:, 300:500] = (190, 160, 60)
    values = np.zeros((240, 640), np.float32)
    values[:, 500:] = 0.5
    if blurred:
        values = cv2.GaussianBlur(values, (0, 0), 6)
    values[:, 304:400] = 1
    picture = Image(np.clip(color + dice.normal(0, 6, color.shape), 0, 255).astype(np.uint8))
    shift = sharp_depth(picture, DepthMap(values), parallax).shift
    steps = np.abs(np.diff(shift[20:-20, 250:350], axis=1))
    assert np.abs(250 + 1 + np.argmax(steps, axis=1) - edge).max() <= 1
