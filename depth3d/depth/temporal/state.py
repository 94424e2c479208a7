"""Check values that are read from a saved state: the file may be damaged or made by somebody else."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["State", "array_of"]

State = dict[str, Any]
"""Plain values, lists, dicts and numpy arrays, as returned by ``to_state`` and accepted by ``from_state``."""


def array_of(value: object, dtype: DTypeLike, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Return ``value`` if it is an array of that dtype and shape (None = any length).

    Raises ``ValueError`` otherwise.
    """
    if not isinstance(value, np.ndarray) or value.dtype != np.dtype(dtype) or value.ndim != len(shape):
        raise ValueError(f"expected an array of {np.dtype(dtype)} with {len(shape)} dimensions")
    if any(wanted is not None and wanted != actual for wanted, actual in zip(shape, value.shape, strict=True)):
        raise ValueError(f"got an array of shape {value.shape}, expected {shape}")
    return cast(NDArray[Any], value)
