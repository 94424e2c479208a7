"""Mixed pixels of outlines are taken apart; the cuts of new views get a lens's softness."""

from __future__ import annotations

import numpy as np
import pytest

from depth3d.geometry.edges.matte import estimate_matte, soften_discontinuities


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_share_and_color_are_found_again(share: float) -> None:
    near, far = np.array([200, 40, 30.0]), np.array([20, 60, 180.0])
    picture = np.empty((5, 12, 3), np.uint8)
    picture[:, :6], picture[:, 6:] = near, far
    picture[:, 6] = np.rint(share * near + (1 - share) * far)
    shift = np.zeros((5, 12), np.float32)
    shift[:, :6] = 10
    outline = np.zeros((5, 12), bool)
    outline[:, 6] = True
    clean, alpha = estimate_matte(picture, outline, shift, 1)
    assert alpha[:, 6] == pytest.approx(255 * share, abs=4)
    assert clean[2, 6] == pytest.approx(near, abs=8)
    assert (alpha[~outline] == 255).all()
    assert np.array_equal(clean[~outline], picture[~outline])


def test_sides_that_look_alike_are_left_alone() -> None:
    picture = np.full((4, 8, 3), 120, np.uint8)
    shift = np.zeros((4, 8), np.float32)
    shift[:, :4] = 9
    outline = np.zeros((4, 8), bool)
    outline[:, 4:6] = True
    clean, alpha = estimate_matte(picture, outline, shift, 2)
    assert np.array_equal(clean, picture)
    assert (alpha[outline] == round(255 * 0.75)).all()


def test_only_cuts_are_softened() -> None:
    generator = np.random.default_rng(0)
    picture = generator.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    depth = np.zeros((20, 30), np.float32)
    assert np.array_equal(soften_discontinuities(picture, depth), picture)
    depth[:, 15:] = 5
    changed = (soften_discontinuities(picture, depth) != picture).any(2)
    assert changed[:, 14:16].mean() > 0.9
    assert not changed[:, :14].any()
    assert not changed[:, 16:].any()
