"""The visible picture and its depth as flat arrays, from which the colors of the disoccluded background are taken."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.pixels import colors_at, rows_columns

__all__ = ["VisiblePixels"]

Floats = NDArray[np.float32]
Pixels = NDArray[Any]  # uint8 or uint16
Indices = NDArray[np.int64]
Sources = NDArray[np.int32]


class VisiblePixels:
    """The visible picture and its depth as flat arrays.

    Parameters
    ----------
    picture : Pixels
        (H, W, 3) uint8 or uint16.
    seen : Floats
        (H, W), its depth in pixels of shift.
    """

    def __init__(self, picture: Pixels, seen: Floats) -> None:
        self.colors, self.depth = picture.reshape(-1, 3), seen.ravel()
        self.height, self.width = seen.shape

    def at(self, rows: NDArray[Any], columns: NDArray[Any]) -> Indices:
        """Flat indices of the pixels there, clamped to the border."""
        y, x = (side if side.dtype == np.int64 else np.rint(side).astype(np.int64) for side in (rows, columns))
        index: Indices = y.clip(0, self.height - 1) * self.width + x.clip(0, self.width - 1)
        return index

    def colors_at(self, places: NDArray[Any]) -> Floats:
        """(3, K) float32."""
        return colors_at(self.colors, places)

    def way(self, source: Sources, here: Indices) -> tuple[Indices, Indices, Indices, Indices, Floats]:
        """Row and column of the source, the vector (down, right) from there to ``here``, and its length."""
        (row, column), (y, x) = (rows_columns(places, self.width) for places in (source.astype(np.int64), here))
        down, right = y - row, x - column
        return row, column, down, right, np.hypot(down, right).astype(np.float32)
