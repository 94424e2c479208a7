"""Rendered scenes: depth that is known by formula, and families that are deterministic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


def _canvas(pitch: float = 0.0) -> Any:
    from canvas import Canvas, Light

    light = Light(np.array([0, 1, 0], np.float32), 0.3, np.ones(3, np.float32), 1e5)
    return Canvas(60, 80, 1.0, pitch, 1.5, light)


def _texture() -> Any:
    from textures import Texture, procedural

    return Texture(procedural(np.random.default_rng(0)))


def test_the_ground_is_a_ramp() -> None:
    """A level plane seen without pitch: inverse depth = (row - horizon) / (focal length x eye height)."""
    canvas = _canvas()
    canvas.plane(
        np.zeros(3, np.float32), np.array([0, 1, 0], np.float32), np.array([1, 0, 0], np.float32), _texture(), 1.0
    )
    rows = np.arange(60) + 0.5 - 30
    expected = np.where(rows > 0, rows / (canvas.focal * 1.5), 0)
    np.testing.assert_allclose(canvas.inverse, np.repeat(expected[:, None], 80, axis=1), rtol=1e-4, atol=1e-6)


def test_box_and_sphere_are_where_they_were_put() -> None:
    canvas = _canvas()
    canvas.box(np.array([0, 1, 5], np.float32), np.array([1, 1, 2], np.float32), 0.0, _texture(), _texture(), 1.0)
    assert canvas.inverse[30, 40] == pytest.approx(1 / 4, rel=1e-4)
    canvas.ellipsoid(np.array([0, 1.5, 3], np.float32), np.array([0.5, 0.5, 0.5], np.float32), _texture())
    assert canvas.inverse[29:31, 39:41].max() == pytest.approx(1 / 2.5, rel=1e-3)


def test_a_cutout_hides_what_is_behind_and_nothing_before() -> None:
    canvas = _canvas()
    canvas.box(np.array([0, 1, 3], np.float32), np.array([0.2, 1, 0.2], np.float32), 0.0, _texture(), _texture(), 1.0)
    alpha, color = np.ones((50, 50), np.float32), np.ones((50, 50, 3), np.float32)
    canvas.cutout(np.array([0, 0, 5], np.float32), 3.0, alpha, color)
    assert canvas.inverse[30, 40] == pytest.approx(1 / 2.9, rel=1e-3)
    assert canvas.inverse[30, 25] == pytest.approx(1 / 5, rel=1e-3)


def test_a_stroke_has_the_depth_of_its_line() -> None:
    """A bar from 2 m to 4 m: inverse depth is linear along it on the screen; a hair has color but no depth."""
    canvas = _canvas()
    ends = np.array([[-0.8, 1.5, 2.0], [1.6, 1.5, 4.0]], np.float32)
    canvas.stroke(ends[0], ends[1], 0.05, np.ones(3, np.float32))
    x, _, _ = canvas.project(ends)
    columns = np.flatnonzero(canvas.inverse[30] > 0)
    assert columns.size > 30
    part = (columns - x[0]) / (x[1] - x[0])
    np.testing.assert_allclose(canvas.inverse[30, columns], 0.5 - 0.25 * np.clip(part, 0, 1), atol=0.01)
    hair = _canvas()
    hair.stroke(ends[0], ends[1], 0.001, np.ones(3, np.float32))
    assert hair.inverse.max() == 0
    assert 0 < hair.color.max() < 0.3


def test_every_family_is_deterministic_and_sound() -> None:
    from render import FAMILIES, Props, Shelf, scene

    pictures = [np.random.default_rng(5).integers(0, 256, (120, 160, 3), np.uint8)]
    props = Props(Shelf(pictures), [], [])
    for family in FAMILIES:
        picture, inverse = scene(3, 1, props, 48, 64, family)
        again, inverse_again = scene(3, 1, props, 48, 64, family)
        np.testing.assert_array_equal(picture, again)
        np.testing.assert_array_equal(inverse, inverse_again)
        assert picture.shape == (48, 64, 3)
        assert np.isfinite(inverse).all()
        assert inverse.min() >= 0
        assert inverse.max() > 0
