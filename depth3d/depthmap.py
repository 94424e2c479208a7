"""Types for depth, and the only file in which depth is inverted.

``Disparity`` is the output of a network: relative inverse depth, larger = nearer, unknown scale and shift.
``DepthMap`` is normalized inverse depth, 1 = nearest; all stages after ``depth3d.depth`` use it.
There are two types because normalizing each frame of a clip independently causes flicker; only ``depth3d.depth``
converts ``Disparity`` to ``DepthMap``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput
from depth3d.image import Image, Size, array_of

__all__ = ["DepthMap", "Disparity", "normalize"]

_NORMALIZED = 1_000_000  # values at a time


@dataclass(frozen=True, slots=True, eq=False)
class Disparity:
    """Output of a depth network: relative inverse depth, larger = nearer, unknown scale and shift.

    Raises ``InvalidInput`` for another shape, an empty map, or values that are not finite.

    Parameters
    ----------
    values : NDArray[np.float32]
        (H, W) finite floats, any range; kept as read-only float32.
    """

    values: NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _checked("Disparity", self.values))

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        return Size(int(self.values.shape[1]), int(self.values.shape[0]))

    def _repr_html_(self) -> str:
        """HTML for Jupyter: the map in gray, from its smallest (black) to its largest value (white)."""
        return DepthMap.from_disparity(self)._repr_html_()


@dataclass(frozen=True, slots=True, eq=False)
class DepthMap:
    """Normalized inverse depth: 1 = nearest, 0 = farthest (white = near, as in a Facebook depth file).

    When the camera moves sideways, the shift of a pixel is proportional to this value, so parallax in percent
    of the picture's width is exact.

    Raises ``InvalidInput`` for another shape, an empty map, or values outside [0, 1].

    Parameters
    ----------
    values : NDArray[np.float32]
        (H, W) floats in [0, 1]; kept as read-only float32.
    """

    values: NDArray[np.float32]

    def __post_init__(self) -> None:
        values = _checked("DepthMap", self.values)
        low, high = float(values.min()), float(values.max())
        if low < 0 or high > 1:
            raise InvalidInput(
                f"DepthMap: values span [{low:g}, {high:g}], expected [0, 1] with 1 = nearest"
                " (DepthMap.from_disparity and from_metric convert)"
            )
        object.__setattr__(self, "values", values)

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        return Size(int(self.values.shape[1]), int(self.values.shape[0]))

    @classmethod
    def from_disparity(cls, disparity: Disparity, low: float | None = None, high: float | None = None) -> DepthMap:
        """Map [low, high] of a disparity map to [0, 1] and clip.

        A constant map (high <= low) becomes 0, the farthest depth, everywhere.

        Parameters
        ----------
        disparity : Disparity
            Relative inverse depth of a network, larger = nearer.
        low, high : float | None
            Values that become 0 (farthest) and 1 (nearest); default the map's minimum and maximum.
        """
        low = float(disparity.values.min()) if low is None else low
        high = float(disparity.values.max()) if high is None else high
        values = disparity.values.copy()
        normalize(values, low, high)
        return cls(values)

    @classmethod
    def from_metric(cls, meters: NDArray[Any], near: float | None = None, far: float | None = None) -> DepthMap:
        """Convert distances along the optical axis to normalized inverse depth.

        Parameters
        ----------
        meters : NDArray[Any]
            (H, W) distances > 0; ``inf`` is allowed and becomes 0, the farthest depth.
        near, far : float | None
            Distances that become 1 and 0; default the smallest and the largest finite distance.
        """
        for name, value in (("near", near), ("far", far)):
            if value is not None and not (isinstance(value, int | float) and value > 0):
                raise InvalidInput(f"DepthMap.from_metric: {name} is {value!r}, expected meters > 0")
        if near is not None and math.isinf(near):
            raise InvalidInput("DepthMap.from_metric: near is inf, expected finite meters")
        meters = array_of(meters, "DepthMap.from_metric")
        if meters.dtype.kind not in "fiu":
            raise InvalidInput(f"DepthMap.from_metric: values are {meters.dtype}, expected distances in meters")
        meters = meters.astype(np.float64)
        if meters.ndim != 2 or meters.size == 0 or np.isnan(meters).any() or (meters <= 0).any():
            raise InvalidInput("DepthMap.from_metric: expected (H, W) distances, all > 0 and none NaN")
        inverse = 1.0 / meters
        finite = inverse[inverse > 0]
        high = 1.0 / near if near else float(inverse.max())
        low = 1.0 / far if far else (float(finite.min()) if finite.size else 0.0)
        if not high > low:
            return cls(np.zeros(meters.shape, np.float32))
        return cls(np.clip((inverse - low) / (high - low), 0, 1).astype(np.float32))

    @classmethod
    def from_gray(cls, gray: NDArray[Any], *, invert: bool = False) -> DepthMap:
        """Make a depth map from a gray picture, white = near.

        Parameters
        ----------
        gray : NDArray[Any]
            (H, W) uint8, uint16, or floats in [0, 1].
        invert : bool
            True: black = near.
        """
        gray = array_of(gray, "DepthMap.from_gray")
        if gray.dtype.kind not in "fiub":
            raise InvalidInput(f"DepthMap.from_gray: values are {gray.dtype}, expected numbers")
        if np.issubdtype(gray.dtype, np.integer):
            values = gray.astype(np.float32) / np.float32(np.iinfo(gray.dtype).max)
        else:
            values = gray.astype(np.float32)
        return cls(1 - values if invert else values)

    def _repr_html_(self) -> str:
        """HTML for Jupyter: the map in gray, white = near."""
        gray = np.rint(self.values * 255).astype(np.uint8)
        return Image(np.repeat(gray[..., None], 3, axis=2))._repr_html_()

    def inverted(self) -> DepthMap:
        """Return 1 - values, for files in which black means near."""
        return DepthMap(1 - self.values)

    def metric(self, near: float, far: float) -> NDArray[np.float32]:
        """Return (H, W) float32 distances: the value 1 becomes ``near``, 0 becomes ``far``.

        The values are linear in *inverse* distance: 0.5 is much nearer than the mean of both distances.

        Parameters
        ----------
        near, far : float
            Distances of the nearest and the farthest point, in any unit, 0 < near < far.
        """
        if not 0 < near < far:
            raise InvalidInput(f"DepthMap.metric: near {near}, far {far}; expected 0 < near < far")
        inverse = self.values.astype(np.float64) * (1 / near - 1 / far) + 1 / far
        return (1 / inverse).astype(np.float32)

    def resized(self, size: Size) -> DepthMap:
        """Resample to another size: area average when shrinking, bilinear when enlarging.

        This averages across depth edges; ``depth.refine`` upsamples along the photo's edges instead.

        Parameters
        ----------
        size : Size
            Width and height of the result.
        """
        if size == self.size:
            return self
        import cv2  # here, so that `import depth3d.depthmap` stays light

        shrinking = size.width < self.size.width and size.height < self.size.height
        how = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
        return DepthMap(np.clip(cv2.resize(self.values, tuple(size), interpolation=how), 0, 1))


def normalize(values: NDArray[np.float32], low: float, high: float) -> None:
    """Map [low, high] to [0, 1] in place and clip; a constant map (high <= low) becomes 0.

    Parameters
    ----------
    values : NDArray[np.float32]
        (H, W) relative inverse depth; changed in place, as a copy of a large photo's depth takes half a gigabyte.
    low, high : float
        Values that become 0 and 1.
    """
    if not high > low:
        values[...] = 0
        return
    step = max(1, _NORMALIZED // values.shape[1])
    for first in range(0, len(values), step):
        # In float64: a float32 subtraction of two large similar values would lose precision.
        rows = values[first : first + step]
        rows[...] = np.clip((rows.astype(np.float64) - low) / (high - low), 0, 1)


def _checked(name: str, values: NDArray[Any]) -> NDArray[np.float32]:
    array = array_of(values, name)
    if array.ndim != 2 or array.size == 0:
        raise InvalidInput(f"{name}: values have shape {array.shape}, expected (H, W), not empty")
    if not np.issubdtype(array.dtype, np.floating):
        raise InvalidInput(f"{name}: values are {array.dtype}, expected floats (from_gray takes integers)")
    array = array.astype(np.float32, copy=False).view()
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise InvalidInput(f"{name}: {bad} of {array.size} values are NaN or infinite, expected finite")
    array.flags.writeable = False
    return array
