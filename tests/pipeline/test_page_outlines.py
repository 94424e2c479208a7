"""The page's outlines in a real browser are those of the renderer, and no line stands beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import Browser
from scenes import texture

from depth3d.depthmap import DepthMap
from depth3d.geometry.edges.outlines import sharp_depth
from depth3d.geometry.mesh.layers import build_layers
from depth3d.image import Image, Size
from depth3d.io.viewer import write_page
from depth3d.options import ViewOptions
from depth3d.pipeline.bands import eye_camera
from depth3d.pipeline.page import view_page
from depth3d.pipeline.scene import Scene
from depth3d.render.renderer import Renderer

SIZE = Size(720, 480)
AMOUNT, ZOOM = 4.0, 1.02  # of the page: 1 + half the amount
MARGIN = 12  # of the page around the picture, pixels


def trunk() -> tuple[Image, DepthMap]:
    """A dark trunk before light ground; above the network's edge is soft, below it is crisp. Something nearer aside."""
    ground = texture(SIZE, 3).pixels.astype(np.float32) * 0.25 + 170
    bark = texture(SIZE, 4).pixels.astype(np.float32) * 0.15 + 30
    columns = np.arange(SIZE.width)[None, :].repeat(SIZE.height, 0)
    wood = (columns >= 300) & (columns < 380)
    near = columns >= 640
    pixels = np.where((wood | near)[..., None], bark, ground)
    depth = np.where(near, 1.0, np.where(wood, 0.6, 0.1)).astype(np.float32)
    soft = cv2.GaussianBlur(depth, (0, 0), 1)
    soft[300:] = depth[300:]
    return Image(pixels.round().astype(np.uint8)), DepthMap(soft)


@pytest.mark.parametrize("parallax", [2.0, 6.0])
def test_no_bar_stands_along_the_trunk(parallax: float) -> None:
    """Deblurring a map that is crisp in parts raised the pixels beside an edge to the depth of what is nearer."""
    sharp = sharp_depth(*trunk(), parallax)
    trunk_itself, beside = sharp.shift[20:460, 296:384] / sharp.travel, sharp.shift[20:460, 200:290] / sharp.travel
    assert trunk_itself.max() < 0.65
    assert beside.max() < 0.15


def test_the_page_s_outlines_are_those_of_the_renderer(tmp_path: Path) -> None:
    image, depth = trunk()
    page = write_page(view_page(Scene(image, depth, "made"), ViewOptions()), tmp_path / "trunk.html")
    layers = build_layers(image, depth, parallax_percent=AMOUNT, quality="high")
    with Renderer(SIZE) as renderer, Browser(SIZE.width + 2 * MARGIN, SIZE.height + 400) as browser:
        renderer.upload(layers)
        for side in (-1, 1):
            browser.open(f"{page.as_uri()}?{side}#still&x={side}&amount={AMOUNT}&focus=0.5")
            shown = browser.picture()
            camera = replace(eye_camera(layers.camera, SIZE.aspect, side * AMOUNT / 2, 0.5), zoom=ZOOM)
            expected = renderer.draw(camera).pixels
            middle = (slice(120, 460), slice(180, 500))  # the trunk, where both edges of the depth meet included
            place = cv2.matchTemplate(shown, expected[middle], cv2.TM_SQDIFF)
            (x, y) = cv2.minMaxLoc(place)[2]
            found = shown[y : y + 340, x : x + 320].astype(np.float32)
            off = np.abs(cv2.GaussianBlur(found - expected[middle], (0, 0), 1.0)).max(2)
            # Outlines are antialiased in two ways; a line beside them would differ by a hundred levels.
            assert off.mean() < 2
            assert np.percentile(off, 99.5) < 35
            assert browser.problems == []
            assert np.abs(found[:, 150:170].mean((0, 1)) - expected[middle][:, 150:170].mean((0, 1))).max() < 3
