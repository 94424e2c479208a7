"""Clips as VR180: sizes, and where the picture stands on the half spheres."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from stereoscenes import texture

from depth3d.depthmap import DepthMap
from depth3d.frames import Frame
from depth3d.image import Image, Size
from depth3d.options import StereoOptions
from depth3d.pipeline.clip.renderers import StereoStrength
from depth3d.pipeline.clip.sphere import SphereRenderer
from depth3d.pipeline.sphere import degrees_across, sphere_side


def test_sides_keep_the_sharpness_and_what_headsets_decode() -> None:
    assert sphere_side(Size(320, 180), 53) == 1024
    assert sphere_side(Size(3840, 2160), 53, 2048) == 2048
    # 1280 px over 53 degrees: 1280 / (2 tan 26.5) pixels per radian in the middle, half a turn of them.
    assert sphere_side(Size(1280, 720), 53) == pytest.approx(1280 / (2 * np.tan(np.radians(26.5))) * np.pi, abs=2)


def test_angles_come_from_the_option_then_from_exif() -> None:
    size = Size(160, 90)
    photo = Image(np.zeros((90, 160, 3), np.uint8), focal_35mm=18.0)
    assert degrees_across(StereoOptions(field_of_view=70), size, photo) == pytest.approx(70)
    assert degrees_across(StereoOptions(), size, photo) == pytest.approx(90)
    assert degrees_across(StereoOptions(), size) == pytest.approx(53)


def test_both_eyes_stand_in_the_middle_of_their_half_spheres() -> None:
    size = Size(128, 72)
    image = Image(np.maximum(texture(128, 72), 40))
    frame = Frame(0, Fraction(0), image)
    with SphereRenderer(size, StereoOptions(field_of_view=60)) as renderer:
        assert renderer.size == Size(2048, 1024)
        depth = DepthMap(np.full((72, 128), 0.5, np.float32))
        drawn = renderer.draw(renderer.prepare(frame, depth, StereoStrength(2.0, 0.5))).pixels.astype(int)
    for half in (drawn[:, :1024], drawn[:, 1024:]):
        lit = np.flatnonzero(half[512].max(axis=1) > 20)
        assert lit[0] == pytest.approx(1024 / 3, abs=4)
        assert lit[-1] == pytest.approx(1024 * 2 / 3, abs=4)
    # All of it lies on the screen: both eyes see the same.
    assert np.abs(drawn[:, :1024] - drawn[:, 1024:]).max() <= 2
