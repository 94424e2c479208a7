"""The trainer's parts: scenes whose depth is known by formula, a loss that ignores scale and shift, exact scores."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2] / "examples" / "train_tiny"


@pytest.fixture(scope="module", autouse=True)
def _path() -> Any:
    if not ROOT.is_dir():
        pytest.skip("the examples are not beside the tests")
    before = list(sys.path)
    sys.path[:0] = [str(ROOT), str(ROOT / "scenes")]
    yield
    sys.path[:] = before


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
    alpha, colour = np.ones((50, 50), np.float32), np.ones((50, 50, 3), np.float32)
    canvas.cutout(np.array([0, 0, 5], np.float32), 3.0, alpha, colour)
    assert canvas.inverse[30, 40] == pytest.approx(1 / 2.9, rel=1e-3)
    assert canvas.inverse[30, 25] == pytest.approx(1 / 5, rel=1e-3)


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


def test_the_loss_ignores_scale_and_shift_and_nothing_else() -> None:
    torch = pytest.importorskip("torch")
    from losses import depth_loss

    truth = torch.rand(2, 32, 48, generator=torch.Generator().manual_seed(0))
    half = torch.nn.functional.avg_pool2d(truth[:, None], 2)[:, 0]
    assert float(depth_loss(3.0 * half + 7.0, truth)) < 1e-5
    assert float(depth_loss(-half, truth)) > 0.5


def test_scores_of_known_answers() -> None:
    from metrics import score

    inverse = np.random.default_rng(0).uniform(0.1, 1.0, (40, 60)).astype(np.float32)
    perfect = score(5.0 * inverse + 2.0, inverse)
    assert perfect.absrel < 1e-3
    assert perfect.delta1 == 1.0
    assert perfect.ordinal == 1.0
    assert score(np.ones_like(inverse), inverse).ordinal == 0.5
    assert score(-inverse, inverse).ordinal == 0.0


def test_whole_blocks_are_held_back() -> None:
    from pairs import is_held_back

    held = [index for index in range(795) if is_held_back(index)]
    assert len(held) == 80
    assert held[:16] == list(range(64, 80))
