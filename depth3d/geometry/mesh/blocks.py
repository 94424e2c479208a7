"""Square blocks of pixels: pools a picture to one value for each block, and enlarges such values again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import CACHED_PIXELS, row_bands

__all__ = ["block_mean", "block_rows", "enlarged", "masked_mean", "pooled"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


def pooled(values: Floats | Mask, cell: int, how: np.ufunc) -> Floats:
    """Pool blocks of ``cell`` x ``cell`` pixels with ``how``, a function of two arrays; the border is repeated."""
    if cell == 1:
        return np.asarray(values, np.float32)
    found = np.empty((-(-values.shape[0] // cell), -(-values.shape[1] // cell)), np.float32)
    for rows, blocks in block_rows(values.shape, cell):
        found[blocks] = _pooled_rows(values[rows], cell, how)
    return found


def _pooled_rows(values: Floats | Mask, cell: int, how: np.ufunc) -> Floats | Mask:
    height, width = values.shape
    whole: NDArray[Any] = values
    if height % cell or width % cell:
        beyond = (0, -height % cell, 0, -width % cell)
        whole = cv2.copyMakeBorder(
            whole.view(np.uint8) if whole.dtype == bool else whole, *beyond, cv2.BORDER_REPLICATE
        )
        whole = whole.view(values.dtype)
    # Whole rows first: many times as fast as a reduction over two axes.
    rows = whole[::cell].copy()
    for start in range(1, cell):
        how(rows, whole[start::cell], out=rows)
    found: Floats | Mask = rows[:, ::cell].copy()
    for start in range(1, cell):
        how(found, rows[:, start::cell], out=found)
    return found


def block_mean(values: Floats, cell: int) -> Floats:
    """Mean over each block."""
    return pooled(values, cell, np.add) / np.float32(cell * cell)


def masked_mean(values: Floats, mask: Mask, cell: int) -> tuple[Floats, Floats]:
    """Mean of the pixels within ``mask`` of each block (0 where there are none), and their share of the block."""
    shape = tuple(-(-side // cell) for side in values.shape)
    mean, share = np.empty(shape, np.float32), np.empty(shape, np.float32)
    for rows, blocks in block_rows(values.shape, cell):
        weight = mask[rows].astype(np.float32)
        share[blocks] = block_mean(weight, cell)
        mean[blocks] = block_mean(values[rows] * weight, cell) / np.maximum(share[blocks], 1e-6)
    return mean, share


def block_rows(shape: tuple[int, ...], cell: int) -> Iterator[tuple[slice, slice]]:
    """Bands of rows that fit into the cache, and the rows of their blocks."""
    for band in row_bands(shape, halo=0, multiple=cell, pixels=CACHED_PIXELS):
        yield band.rows, slice(band.rows.start // cell, -(-band.rows.stop // cell))


def enlarged(cells: Any, cell: int, shape: tuple[int, ...]) -> Any:
    """(H, W) of ``shape``: the value of each pixel's block, for floats and masks."""
    if cell == 1:
        return cells
    size = cells.shape[1] * cell, cells.shape[0] * cell
    values = cells.view(np.uint8) if cells.dtype == bool else cells
    whole = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_NEAREST))[: shape[0], : shape[1]]
    return whole.view(bool) if cells.dtype == bool else whole
