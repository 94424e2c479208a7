"""Steps of a depth map move to where the colors change, at a cost that does not grow with the size of the windows."""

import numpy as np
import pytest

from depth3d.geometry.edges import snap

WIDTH, HEIGHT, EDGE = 240, 120, 120


def _scene(off: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depth with a step ``off`` pixels beside the color edge, the picture with grain, and the true depth."""
    columns = np.broadcast_to(np.arange(WIDTH), (HEIGHT, WIDTH))
    true = np.where(columns < EDGE, np.float32(2), np.float32(14))
    depth = np.where(columns < EDGE + off, np.float32(2), np.float32(14))
    color = np.where((columns < EDGE)[..., None], (60.0, 80.0, 100.0), (190.0, 150.0, 90.0))
    color = color + np.random.default_rng(seed).normal(0, 10, color.shape)
    return depth, np.clip(color, 0, 255).astype(np.uint8), true


@pytest.mark.parametrize("spacing", [1, 2, 3, 6])
def test_a_step_moves_to_the_colors(spacing: int) -> None:
    depth, picture, true = _scene(spacing)
    found = snap.snap_steps(depth, picture, spacing)
    assert (depth != true).mean() > 0.9 * spacing / WIDTH
    # Levels are averages over each side, so that they may differ in the last bits.
    assert (np.abs(found - true) > 0.01).mean() < 0.05 * spacing / WIDTH


def test_shared_averages_decide_as_each_pixels_own(monkeypatch: pytest.MonkeyPatch) -> None:
    depth, picture, _ = _scene(3)
    depth += np.linspace(0, 6, HEIGHT, dtype=np.float32)[:, None]  # slanted, too
    shared = snap.snap_steps(depth, picture, 6)
    monkeypatch.setattr(snap, "LIKE_SHARE", -1.0)  # nobody is like anybody
    own = snap.snap_steps(depth, picture, 6)
    assert (np.abs(shared - own) > 0.5).mean() < 0.002


def test_averages_are_computed_once_per_square(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    original = snap._sides
    monkeypatch.setattr(snap, "_sides", lambda *given: asked.append(len(given[-1].places)) or original(*given))
    depth, picture, _ = _scene(3)
    snap.snap_steps(depth, picture, 6)
    band = HEIGHT * (2 * 6 + 2)  # pixels beside the step
    assert 0 < sum(asked) <= 1.5 * band / 36
