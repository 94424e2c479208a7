"""Gaussian splats to files: ``.ply`` as 3D Gaussian splatting writes it, ``.splat``, and ``.spz``.

Hand-written, since each is a table of numbers with a short header and no library writes all three. Layouts:
the reference implementation's PLY (Kerbl et al. 2023: one vertex a Gaussian, logarithms of the scales, logit of
the opacity, color as degree 0 spherical harmonics); ``.splat`` of 32 bytes a Gaussian; ``.spz`` version 2 as its
open specification describes it (gzip, fixed-point positions). PLY and ``.splat`` have +Y down and +Z forward, so
positions and rotations are turned by 180 degrees about X; ``.spz`` has the axes of depth3d.
"""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput, WriteError
from depth3d.io.atomic import atomic_path
from depth3d.splats import SplatCloud

__all__ = ["SPLAT_SUFFIXES", "write_splats"]

SPLAT_SUFFIXES = (".ply", ".splat", ".spz")
_HARMONIC = 0.28209479177387814  # the constant spherical harmonic of degree 0
_LEAST, _MOST = 1 / 255, 0.99  # opacities: the logit of 0 and 1 is infinite, and viewers draw no more than this
_SPZ_MAGIC, _SPZ_VERSION, _SPZ_FRACTION_BITS = 0x5053474E, 2, 12


def write_splats(cloud: SplatCloud, path: str | Path, *, force: bool = False) -> Path:
    """Write a cloud of Gaussians in the format of the suffix; return the path.

    Raises ``ExistsError``, ``WriteError`` for another suffix, and ``InvalidInput`` for a scene too large for the
    fixed-point positions of ``.spz``.

    Parameters
    ----------
    cloud : SplatCloud
        The Gaussians.
    path : str | Path
        ``.ply``, ``.splat`` or ``.spz``.
    force : bool
        Replace an existing file.
    """
    path = Path(path)
    encoders = {".ply": _ply, ".splat": _splat, ".spz": _spz}
    encode = encoders.get(path.suffix.lower())
    if encode is None:
        raise WriteError(path, f"unknown splat format {path.suffix!r}; use {', '.join(SPLAT_SUFFIXES)}")
    data = encode(cloud)
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(data)
    return path


def _turned(cloud: SplatCloud) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Positions and rotations with +Y down and +Z forward: turned by 180 degrees about X."""
    positions = cloud.positions * np.array([1, -1, -1], np.float32)
    w, x, y, z = cloud.rotations.T
    return positions, np.column_stack([-x, w, -z, y])


def _ply(cloud: SplatCloud) -> bytes:
    positions, rotations = _turned(cloud)
    opacity = np.clip(cloud.opacities, _LEAST, _MOST)
    columns = [
        positions,
        np.zeros((len(cloud), 3), np.float32),  # normals: readers expect them, nobody uses them
        (cloud.colors / np.float32(255) - np.float32(0.5)) / np.float32(_HARMONIC),
        np.log(opacity / (1 - opacity))[:, None],
        np.log(cloud.scales),
        rotations,
    ]
    names = [*"xyz", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity"]
    names += [*(f"scale_{k}" for k in range(3)), *(f"rot_{k}" for k in range(4))]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(cloud)}"]
    header += [f"property float {name}" for name in names]
    return ("\n".join([*header, "end_header"]) + "\n").encode() + np.hstack(columns).astype("<f4").tobytes()


def _splat(cloud: SplatCloud) -> bytes:
    positions, rotations = _turned(cloud)
    record = np.dtype([("position", "<f4", 3), ("scale", "<f4", 3), ("color", "u1", 4), ("rotation", "u1", 4)])
    table = np.zeros(len(cloud), record)
    table["position"], table["scale"] = positions, cloud.scales
    table["color"][:, :3] = cloud.colors
    table["color"][:, 3] = np.rint(np.clip(cloud.opacities, _LEAST, _MOST) * 255)
    table["rotation"] = np.clip(np.rint(rotations * 128 + 128), 0, 255)
    # Viewers draw while they load: the largest first, those of like size in the cloud's own order.
    order = np.argsort(-np.rint(np.log2(cloud.scales[:, :2].prod(1))), kind="stable")
    return table[order].tobytes()


def _spz(cloud: SplatCloud) -> bytes:
    bits = _SPZ_FRACTION_BITS
    fixed = np.rint(cloud.positions.astype(np.float64) * (1 << bits)).astype(np.int64)
    while np.abs(fixed).max() >= 1 << 23 and bits > 0:
        bits -= 1
        fixed = np.rint(cloud.positions.astype(np.float64) * (1 << bits)).astype(np.int64)
    if np.abs(fixed).max() >= 1 << 23:
        raise InvalidInput("the scene is more than 8,000 km deep, too far for .spz; use .ply")
    positions = (fixed & 0xFFFFFF).astype("<u4").view(np.uint8).reshape(-1, 3, 4)[..., :3]
    opacity = np.rint(np.clip(cloud.opacities, _LEAST, _MOST) * 255).astype(np.uint8)
    harmonic = (cloud.colors / 255 - 0.5) / _HARMONIC
    colors = np.clip(np.rint(harmonic * (0.15 * 255) + 0.5 * 255), 0, 255).astype(np.uint8)
    scales = np.clip(np.rint((np.log(cloud.scales) + 10) * 16), 0, 255).astype(np.uint8)
    vector = cloud.rotations[:, 1:] * np.where(cloud.rotations[:, :1] < 0, -1, 1)
    rotations = np.clip(np.rint(vector * 127.5 + 127.5), 0, 255).astype(np.uint8)
    header = struct.pack("<IIIBBBB", _SPZ_MAGIC, _SPZ_VERSION, len(cloud), 0, bits, 0, 0)
    body = b"".join(part.tobytes() for part in (positions, opacity, colors, scales, rotations))
    return gzip.compress(header + body, 6, mtime=0)
