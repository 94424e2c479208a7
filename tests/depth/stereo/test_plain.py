"""Surfaces without texture: found by formula, given the plane of their border, made scenes with true disparity."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.depth.stereo.match import stereo_disparity
from depth3d.depth.stereo.plain import plain_surfaces, with_plain_surfaces

EXAMPLES = Path(__file__).parents[3] / "examples"


def wall(noise: float = 2.0) -> NDArray[np.uint8]:
    """A gray wall in a picture of grain, with a noise of its own."""
    random = np.random.default_rng(3)
    picture = random.uniform(0, 255, (40, 60, 3)).astype(np.float32)
    picture = np.asarray(cv2.resize(picture, (240, 160), interpolation=cv2.INTER_CUBIC))
    picture[40:120, 40:200] = 150
    return np.clip(picture + random.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)


def matched(inside: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The disparity of a turned wall, matched around it, and ``inside`` by chance in 20 % of the wall."""
    x = np.arange(240)[None, :]
    disparity = np.broadcast_to(5 + 0.02 * x, (160, 240)).astype(np.float32)
    sure = np.ones((160, 240), bool)
    sure[40:120, 40:200] = np.random.default_rng(4).random((80, 160)) < 0.2
    disparity[40:120, 40:200] = inside
    return disparity, sure


@pytest.mark.parametrize("noise", [0, 2, 4])
def test_one_surface_is_found(noise: float) -> None:
    numbers = plain_surfaces(wall(noise))
    assert set(np.unique(numbers)) == {0, 1}
    assert numbers[46:114, 46:194].all()
    assert not numbers[:34].any()


def test_a_surface_takes_the_plane_of_its_border() -> None:
    disparity, sure = matched(30)
    filled, plain = with_plain_surfaces(disparity, sure, wall())
    truth = 5 + 0.02 * np.arange(240)
    assert plain[42:118, 42:198].all()
    np.testing.assert_allclose(filled[42:118, 42:198], np.broadcast_to(truth[42:198], (76, 156)), atol=0.2)
    assert (filled[~plain] == disparity[~plain]).all()


def test_what_is_nearer_at_the_border_is_before_the_surface_and_without_a_plane_nothing_changes() -> None:
    disparity, sure = matched(30)
    disparity[:, 190:] = 40  # a column along one side
    filled, _ = with_plain_surfaces(disparity, sure, wall())
    np.testing.assert_allclose(
        filled[60:100, 60:180], np.broadcast_to(5 + 0.02 * np.arange(60, 180), (40, 120)), atol=0.3
    )
    disparity = np.random.default_rng(5).uniform(0, 60, disparity.shape).astype(np.float32)
    filled, plain = with_plain_surfaces(disparity, sure, wall())
    assert not plain.any()
    assert (filled == disparity).all()


# bad-2.0 in percent. Measured: 0.2, 2.1; without this step: 34.3, 27.6.
@pytest.mark.parametrize(("scene", "most"), [("turned wall", 1), ("bedroom", 4)])
def test_made_scenes(scene: str, most: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])
    from matching_scenes import SCENES, render
    from measure_matching import errors

    left, right, truth = render(SCENES[scene]())
    bad, *_ = errors(stereo_disparity(left, right).disparity.values, truth)
    assert bad < most
