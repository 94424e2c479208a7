"""Fits the colors of Gaussians to the photo, as splat viewers draw them.

Viewers draw Gaussians one over the other in order of depth, each made larger by a fixed blur. Where many overlap,
the foremost shows most: with the photo's own colors the result is blurred and speckled. The colors are corrected by
what such a drawing differs from the photo, seen from the photo's own place. Moving sideways keeps the order of
depths, so that the correction holds there.
Source of the drawing: Kerbl et al., "3D Gaussian Splatting for Real-Time Radiance Field Rendering", 2023, section 4
and the reference code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from depth3d.camera import Camera
from depth3d.image import Image, Size
from depth3d.splats import SplatCloud

__all__ = ["fit_colors"]

Floats = NDArray[np.float32]

BLUR = 0.3  # square pixels: what the reference code adds to every covariance
ROUNDS = 2  # of correction; more sharpen noise at other sizes than the photo's
FAINT = 0.3  # pixels: Gaussians of which less is visible are corrected less
REACH = 8.0  # squared standard deviations up to which viewers draw
MOST = 0.99  # opacity of one Gaussian at a pixel, at most
BAND = 1 << 16  # pixels drawn at once, at most: 16-bit indices sort in linear time


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """One horizontal band of the drawing: which Gaussian gives how much to which pixel."""

    start: int  # first pixel
    pixels: NDArray[np.int32]  # (E,), counted from ``start``
    splats: NDArray[np.int32]  # (E,)
    shares: Floats  # (E,)
    count: int  # pixels

    def picture(self, colors: Floats) -> Floats:
        """(count, 3) float32 of the band before black."""
        channels = [np.bincount(self.pixels, self.shares * colors[self.splats, k], self.count) for k in range(3)]
        return np.stack(channels, axis=1).astype(np.float32)


def fit_colors(cloud: SplatCloud, photo: Image, camera: Camera) -> SplatCloud:
    """Return the cloud with colors that a viewer draws as ``photo``.

    Parameters
    ----------
    cloud : SplatCloud
        Gaussians of a photo.
    photo : Image
        The photo, 8 bits, at the size at which it is to be matched.
    camera : Camera
        The photo's lens, at the origin.
    """
    bands = list(_bands(cloud, photo.size, camera))
    wanted = photo.pixels.reshape(-1, 3).astype(np.float32)
    colors = cloud.colors.astype(np.float32)
    visible = np.zeros(len(cloud), np.float32)
    for band in bands:
        visible += np.bincount(band.splats, band.shares, len(cloud))
    visible = np.maximum(visible, FAINT)
    for _ in range(ROUNDS):
        change = np.zeros_like(colors)
        for band in bands:
            missing = wanted[band.start : band.start + band.count] - band.picture(colors)
            for k in range(3):
                change[:, k] += np.bincount(band.splats, band.shares * missing[band.pixels, k], len(cloud))
        colors = np.clip(colors + change / visible[:, None], 0, 255)
    return replace(cloud, colors=np.rint(colors).astype(np.uint8))


def _bands(cloud: SplatCloud, size: Size, camera: Camera) -> Iterator[_Drawn]:
    """Draw the picture in horizontal bands, front to back."""
    order = np.argsort(-cloud.positions[:, 2], kind="stable").astype(np.int32)
    order = order[cloud.positions[order, 2] < 0]
    places, covariances = _projected(cloud, order, size, camera)
    reach = np.sqrt(REACH * covariances[:, [0, 2]])
    first = np.ceil(places - reach - 0.5).astype(np.int32)
    last = np.floor(places + reach - 0.5).astype(np.int32)
    seen = (last >= 0).all(1) & (first < np.array(size)).all(1) & (last >= first).all(1)
    height = max(1, BAND // size.width)
    for top in range(0, size.height, height):
        bottom = min(top + height, size.height)
        rows = np.nonzero(seen & (last[:, 1] >= top) & (first[:, 1] < bottom))[0]
        box = np.column_stack([np.maximum(first[rows], (0, top)), np.minimum(last[rows], (size.width - 1, bottom - 1))])
        pixels, which, opacity = _footprints(rows, box, places, covariances, cloud.opacities[order], size.width)
        pixels -= top * size.width
        yield _composited(top, bottom, size.width, pixels, order[which], opacity)


def _projected(cloud: SplatCloud, order: NDArray[np.int32], size: Size, camera: Camera) -> tuple[Floats, Floats]:
    """(N, 2) centers in pixels, and (N, 3) covariances xx, xy, yy in square pixels, viewers' blur included."""
    x, y, z = cloud.positions[order].T
    w, i, j, k = cloud.rotations[order].T
    focal = np.float32(camera.focal(size.aspect) * size.width)
    places = np.column_stack([size.width / 2 - focal * x / z, size.height / 2 + focal * y / z]).astype(np.float32)
    axes = (
        (1 - 2 * (j * j + k * k), 2 * (i * j + w * k), 2 * (i * k - w * j)),
        (2 * (i * j - w * k), 1 - 2 * (i * i + k * k), 2 * (j * k + w * i)),
        (2 * (i * k + w * j), 2 * (j * k - w * i), 1 - 2 * (i * i + j * j)),
    )
    covariances = np.full((len(order), 3), (BLUR, 0, BLUR), np.float32)
    for (a, b, c), length in zip(axes, cloud.scales[order].T, strict=True):
        across = focal * length * (x * c - z * a) / z**2
        down = focal * length * (z * b - y * c) / z**2
        covariances += np.column_stack([across * across, across * down, down * down])
    return places, covariances


def _footprints(
    rows: NDArray[np.intp],
    box: NDArray[np.int32],
    places: Floats,
    covariances: Floats,
    opacities: Floats,
    width: int,
) -> tuple[NDArray[np.int32], NDArray[np.intp], Floats]:
    """Return each pixel that a Gaussian reaches: pixel, row in ``places``, opacity there; in the order of ``rows``."""
    wide = box[:, 2] - box[:, 0] + 1
    counts = wide * (box[:, 3] - box[:, 1] + 1)
    inside = np.arange(counts.sum(), dtype=np.int32) - np.repeat((np.cumsum(counts) - counts).astype(np.int32), counts)
    down, across = np.divmod(inside, np.repeat(wide, counts))
    column = across + np.repeat(box[:, 0], counts)
    row = down + np.repeat(box[:, 1], counts)
    xx, xy, yy = covariances[rows].T
    area = xx * yy - xy * xy
    which = np.repeat(np.arange(len(rows)), counts)
    x = column + np.float32(0.5) - places[rows, 0][which]
    y = row + np.float32(0.5) - places[rows, 1][which]
    squared = (yy / area)[which] * x * x - (2 * xy / area)[which] * x * y + (xx / area)[which] * y * y
    near = squared <= REACH
    opacity = opacities[rows][which[near]] * np.exp(-0.5 * squared[near])
    return (row[near] * width + column[near]), rows[which[near]], np.minimum(opacity, MOST).astype(np.float32)


def _composited(
    top: int, bottom: int, width: int, pixels: NDArray[np.int32], splats: NDArray[np.int32], opacity: Floats
) -> _Drawn:
    """Shares of the Gaussians in each pixel: their opacity, times what those before them let through."""
    count = (bottom - top) * width
    by_pixel = np.argsort(pixels.astype(np.uint16 if count <= BAND else np.int32), kind="stable")
    pixels, splats, opacity = pixels[by_pixel], splats[by_pixel], opacity[by_pixel]
    passed = np.cumsum(np.log1p(-opacity, dtype=np.float64))
    many = np.bincount(pixels, minlength=count)
    ends = np.cumsum(many)
    before = np.concatenate([[0.0], passed])[(ends - many)]
    through = np.exp(np.concatenate([[0.0], passed[:-1]])[: len(pixels)] - np.repeat(before, many))
    return _Drawn(top * width, pixels, splats, (opacity * through).astype(np.float32), count)
