"""A cloud of 3D Gaussians ("Gaussian splats"), which splat viewers draw instead of triangles.

World space is right-handed, +X right, +Y up; the camera is at the origin and looks along -Z.
Source of the representation: Kerbl et al., "3D Gaussian Splatting for Real-Time Radiance Field Rendering", 2023.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput

__all__ = ["SplatCloud"]


@dataclass(frozen=True, slots=True, eq=False)
class SplatCloud:
    """N Gaussians with a color each.

    Raises ``InvalidInput`` for shapes that do not fit together, for values that are not finite, and for scales
    of zero or less.

    Parameters
    ----------
    positions : NDArray[np.float32]
        (N, 3) float32, centers in world space.
    scales : NDArray[np.float32]
        (N, 3) float32 > 0, standard deviations along the three axes of each Gaussian, in world units.
    rotations : NDArray[np.float32]
        (N, 4) float32, unit quaternions (w, x, y, z) that turn the Gaussian's axes into world space.
    colors : NDArray[np.uint8]
        (N, 3) uint8, sRGB; independent of the viewing direction (spherical harmonics of degree 0).
    opacities : NDArray[np.float32]
        (N,) float32 in [0, 1], opacity at the center.
    """

    positions: NDArray[np.float32]
    scales: NDArray[np.float32]
    rotations: NDArray[np.float32]
    colors: NDArray[np.uint8]
    opacities: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.positions)
        for name, shape in (("positions", (count, 3)), ("scales", (count, 3)), ("rotations", (count, 4))):
            self._check(name, shape)
        self._check("colors", (count, 3))
        self._check("opacities", (count,))
        if count == 0:
            raise InvalidInput("SplatCloud: no Gaussians, expected at least one")
        if not (self.scales > 0).all():
            raise InvalidInput("SplatCloud.scales: holds values of zero or less, expected more than zero")

    def __len__(self) -> int:
        return len(self.positions)

    def _check(self, name: str, shape: tuple[int, ...]) -> None:
        values = getattr(self, name)
        if values.shape != shape:
            raise InvalidInput(f"SplatCloud.{name}: shape {values.shape}, expected {shape}")
        if not np.isfinite(values).all():
            raise InvalidInput(f"SplatCloud.{name}: holds NaN or infinite values, expected finite")
