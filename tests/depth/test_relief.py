"""Relief inside surfaces: what is amplified, and what stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depth3d.depth.relief import strengthen_relief
from depth3d.depthmap import DepthMap
from depth3d.image import Image
from depth3d.io.image.read import save_image
from depth3d.options import DepthOptions
from depth3d.pipeline.scene import load_scene

Y, X = np.mgrid[0:200, 0:300].astype(np.float32)


def bump(height: float) -> np.ndarray:
    """A round hill on a wall."""
    return 0.4 + np.float32(height) * np.exp(-((X - 150) ** 2 + (Y - 100) ** 2) / (2 * 15**2)).astype(np.float32)


def changed(values: np.ndarray, strength: float = 1.0) -> np.ndarray:
    return strengthen_relief(DepthMap(values.astype(np.float32)), strength).values


def test_a_small_hill_grows_by_up_to_its_height() -> None:
    values = bump(0.01)
    found = changed(values)
    growth = (found[100, 150] - found[100, 80]) / 0.01
    assert 1.6 < growth <= 2.0
    assert np.abs(found[:, :60] - values[:, :60]).max() < 1e-4


def test_planes_stay_planes() -> None:
    values = 0.2 + 0.5 * X / 300
    inner = (slice(60, -60), slice(60, -60))
    assert np.abs(changed(values, 4) - values)[inner].max() < 1e-4


def test_a_disc_is_rounded_like_a_ball_and_its_outline_stays() -> None:
    away = np.hypot(X - 150, Y - 100)
    values = np.where(away < 40, np.float32(0.8), np.float32(0.2))
    drop = values - changed(values)
    assert np.abs(drop[away > 41]).max() < 0.003  # what is behind stays
    assert np.abs(drop[away < 10]).max() < 0.012  # and the middle
    rim = drop[(away > 37) & (away < 39)]
    assert rim.min() > 0.02
    assert rim.max() <= 0.0601
    by_distance = [float(drop[(away >= r) & (away < r + 4)].mean()) for r in range(0, 40, 4)]
    assert (np.diff(by_distance) > -0.001).all()


@pytest.mark.parametrize("strength", [0.0, 0.5, 8.0])
def test_the_change_is_bounded(strength: float) -> None:
    values = np.random.default_rng(3).random((120, 160)).astype(np.float32)
    found = changed(values, strength)
    assert np.abs(found - values).max() <= 0.0401 + 0.06 * min(strength, 2)
    assert found.min() >= 0
    assert found.max() <= 1
    assert strength > 0 or np.array_equal(found, values)


def test_it_works_on_large_maps_as_on_small_ones() -> None:
    small = changed(bump(0.01))
    large = strengthen_relief(DepthMap(np.kron(bump(0.01), np.ones((5, 5), np.float32))), 1.0).values
    assert np.abs(large[2::5, 2::5] - small).max() < 5e-4


def test_it_applies_to_any_source_of_depth_and_is_told(tmp_path: Path) -> None:
    photo = save_image(Image(np.full((200, 300, 3), 120, np.uint8)), tmp_path / "photo.png")
    np.save(tmp_path / "photo_depth.npy", bump(0.01))
    plain, round_ = load_scene(photo), load_scene(photo, DepthOptions(relief=1.0))
    assert round_.how == f"{plain.how}; relief 1"
    assert round_.depth.values[100, 150] > plain.depth.values[100, 150] + 0.005
