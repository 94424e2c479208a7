"""The guided filter with a color guide: against its definition, pixel by pixel, and over parts of a picture."""

from __future__ import annotations

import numpy as np
import pytest

from depth3d.geometry import chunked
from depth3d.geometry.edges.guided import Guide, guided


@pytest.mark.parametrize("undivided", [100_000, 640])
def test_slopes_are_those_of_a_regression_in_every_window(undivided: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunked, "_UNDIVIDED", undivided)
    rng = np.random.default_rng(0)
    height, width, radius, smooth = 90, 40, 2, 25.0
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    values = rng.normal(0, 1, (height, width)).astype(np.float32)
    places = ((10, 20), (64, 9), (79, 30))
    where = np.zeros((height, width), bool)
    where[tuple(zip(*places, strict=True))] = True
    slopes, offset = guided(values, Guide(picture, radius, smooth), where)

    def fitted(y: int, x: int) -> np.ndarray:
        rows, columns = slice(y - radius, y + radius + 1), slice(x - radius, x + radius + 1)
        color, wanted = picture[rows, columns].reshape(-1, 3) / 255, values[rows, columns].ravel()
        spread = np.cov(color.T, bias=True) + np.eye(3) * (smooth / 255) ** 2
        shared = ((color - color.mean(0)) * (wanted - wanted.mean())[:, None]).mean(0)
        slope = np.linalg.solve(spread, shared)
        return np.array([*slope, wanted.mean() - slope @ color.mean(0)])

    for y, x in places:
        around = [fitted(y + down, x + right) for down in range(-2, 3) for right in range(-2, 3)]
        found = [*(slope[y, x] for slope in slopes), offset[y, x]]
        np.testing.assert_allclose(found, np.mean(around, 0), atol=2e-4)
