"""Pictures that must agree, with a rule of their own for silhouettes, where rasterisers differ."""

from __future__ import annotations

import numpy as np

from depth3d.image import Image


def assert_alike(seen: Image, expected: Image, *, flat: int = 2, edge: int = 8, share: float = 0.001) -> None:
    """Away from strong edges at most ``flat`` gray levels apart; near them ``share`` of the picture may differ by more
    than ``edge``."""
    assert seen.size == expected.size
    a, b = seen.pixels.astype(int), expected.pixels.astype(int)
    difference = np.abs(a - b).max(2)
    steep = np.zeros(difference.shape, bool)
    across, down = np.abs(np.diff(b, axis=1)).max(2) > 16, np.abs(np.diff(b, axis=0)).max(2) > 16
    steep[:, 1:] |= across
    steep[:, :-1] |= across
    steep[1:] |= down
    steep[:-1] |= down
    near = steep.copy()
    near[1:] |= steep[:-1]
    near[:-1] |= steep[1:]
    assert difference[~near].max(initial=0) <= flat
    assert (difference[near] > edge).sum() <= share * difference.size
