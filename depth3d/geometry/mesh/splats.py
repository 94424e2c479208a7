"""Converts the layers of a photo to a cloud of flat 3D Gaussians, oriented along the surface.

Each pixel of a layer becomes one Gaussian; where the color is even and the depth is flat, a square block of
pixels becomes one. A Gaussian's axes are the surface's own tangents, so that slanted surfaces stay closed when
the camera moves. Nothing is optimized: sizes follow from the spacing of the pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.camera import FARTHEST_INVERSE, Camera
from depth3d.geometry.mesh.flatten import flatten_layer
from depth3d.image import Image, Size
from depth3d.layeredmesh import Layer, LayeredMesh
from depth3d.splats import SplatCloud

__all__ = ["splats_of_layers"]

Floats = NDArray[np.float32]

# Standard deviation in pixel spacings: with smaller values the background is visible between four Gaussians, larger
# values blur the picture.
SIGMA = 0.5
BLOCK_SIGMA = 0.65  # of blocks of several pixels, which no viewer's blur closes
LARGEST_BLOCK = 8  # pixels
EVEN = 10  # levels of 255 by which colors of one block, and half a block around it, may differ
THIN = 0.05  # thickness of a Gaussian beside its smaller extent
OPACITY = 0.99  # viewers draw no more
# Renderers draw in order of depth. On a slanted surface that order would let every Gaussian cover the neighbor on one
# side, which moves the texture; random depths, this many pixels of the slope large, cover evenly.
SHUFFLE = 2.0
FINEST = 4.0  # Gaussians for each pixel of the photo, at most
RENDERER_BLUR = 0.55  # pixels: renderers add 0.3 square pixels to each covariance (Kerbl et al., reference code)
SHARPEN = 1  # rounds of sharpening against the blur of overlapping Gaussians
STEEPEST = 8.0  # tangents are clipped to this many pixels: longer ones come from grazing angles or noise


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """Square blocks of pixels of one layer: centers in pixels, mean color and depth, slope of the depth."""

    columns: Floats
    rows: Floats
    side: int
    colors: Floats
    alpha: Floats
    depth: Floats
    slope_x: Floats
    slope_y: Floats


def splats_of_layers(
    mesh: LayeredMesh,
    count: int,
    *,
    step: float,
    border: float = 0.0,
    near_far: tuple[float, float] | None = None,
) -> SplatCloud:
    """Turn the layers of a photo into at most ``count`` Gaussians.

    Parameters
    ----------
    mesh : LayeredMesh
        Layers of a photo, back to front.
    count : int
        Largest number of Gaussians; it sets the sampling density, which is at most FINEST samples per pixel.
    step : float
        Difference of depth (0..1) between neighbors beyond which the surface is not continuous.
    border : float
        How much of the layers beyond the photo's border is kept, as a share of the photo's width and height.
    near_far : tuple[float, float] | None
        True distances in meters of depth 1 and depth 0, or None for scene units (1 to 10).
    """
    finest = math.ceil(max(mesh.size) * math.sqrt(min(FINEST, 2.0 * count / mesh.size.pixels)))
    size = _scaled(mesh.size, finest)
    while True:
        blocks = [
            found
            for layer in mesh.layers
            for found in _blocks_of_layer(layer, size, step, border, _blur(size, mesh.size))
        ]
        total = sum(len(found.depth) for found in blocks)
        if total <= count:
            break
        size = _scaled(mesh.size, max(8, math.floor(max(size) * min(0.97, math.sqrt(count / total)))))
    parts = [
        _gaussians(found, _widened(size, border), border, mesh.camera, mesh.size.aspect, step, near_far)
        for found in blocks
    ]
    # In random order: renderers sort by rounded depths and keep the file's order among equal depths, see SHUFFLE.
    order = np.random.default_rng(0).permutation(total)
    return SplatCloud(*(np.concatenate(arrays)[order] for arrays in zip(*parts, strict=True)))


def _scaled(size: Size, side: int) -> Size:
    """``size`` with its longer side at ``side`` pixels, larger or smaller."""
    factor = side / max(size)
    return Size(max(1, round(size.width * factor)), max(1, round(size.height * factor)))


def _widened(size: Size, border: float) -> Size:
    """``size`` with the border on all sides."""
    return Size(math.ceil(size.width * (1 + 2 * border)), math.ceil(size.height * (1 + 2 * border)))


def _blocks_of_layer(layer: Layer, size: Size, step: float, border: float, blur: float) -> Iterator[_Blocks]:
    """Sample one layer, its border included, and merge even and flat pixels to blocks."""
    scale = np.float32(1 + 2 * border)
    places = (layer.positions + np.float32(border)) / scale
    wide = _widened(size, border)
    moved = Layer(places, layer.depth, layer.uv, layer.faces, layer.texture)
    flat = flatten_layer(moved, wide)
    colors = _sharpened(flat.picture.pixels.astype(np.float32), ~np.isnan(flat.depth), blur)
    alpha = np.ones(flat.depth.shape, np.float32)
    if layer.texture.alpha is not None:
        gray = Image(np.repeat(layer.texture.alpha[..., None], 3, axis=2)).eight_bit()
        alpha = flatten_layer(Layer(places, layer.depth, layer.uv, layer.faces, gray), wide).picture.floats()[..., 0]
    free = ~np.isnan(flat.depth) & (alpha > 1 / 255)
    solid = free & (alpha > 0.99)
    slope_x, slope_y = (_slope(flat.depth, axis, step) for axis in (1, 0))
    side = LARGEST_BLOCK
    while side > 1:
        even = _even_around(colors, solid, side)
        found, taken = _even_blocks(flat.depth, colors, free & even, side, step)
        free &= ~taken
        if len(found.depth):
            yield found
        side //= 2
    rows, columns = np.nonzero(free)
    if len(rows):
        yield _Blocks(
            columns.astype(np.float32) + 0.5,
            rows.astype(np.float32) + 0.5,
            1,
            colors[rows, columns],
            alpha[rows, columns],
            flat.depth[rows, columns],
            slope_x[rows, columns],
            slope_y[rows, columns],
        )


def _blur(size: Size, photo: Size) -> float:
    """Standard deviation, in samples, of a viewer's blur when it shows the photo at its original size."""
    return math.hypot(SIGMA, RENDERER_BLUR * size.width / photo.width)


def _sharpened(colors: Floats, known: NDArray[np.bool_], blur: float) -> Floats:
    """Colors that overlapping Gaussians blur back to ``colors`` (van Cittert's iteration, 1931)."""
    weight = np.maximum(cv2.GaussianBlur(known.astype(np.float32), (0, 0), blur), 1e-3)[..., None]
    sharp = colors
    for _ in range(SHARPEN):
        blurred = cv2.GaussianBlur(np.where(known[..., None], sharp, 0), (0, 0), blur) / weight
        sharp = np.clip(sharp + colors - blurred, 0, 255)
    return np.asarray(sharp, np.float32)


def _slope(depth: Floats, axis: int, step: float) -> Floats:
    """Change of depth per pixel along ``axis``, from those neighbors that belong to the same surface; else 0."""
    change = np.diff(depth, axis=axis)
    same = np.abs(change) <= step  # False beside NaN
    change = np.where(same, change, 0)
    pads = [(1, 0) if k == axis else (0, 0) for k in range(2)], [(0, 1) if k == axis else (0, 0) for k in range(2)]
    total = np.pad(change, pads[0]) + np.pad(change, pads[1])
    many = np.pad(same, pads[0]).astype(np.float32) + np.pad(same, pads[1])
    return np.asarray(total / np.maximum(many, 1), np.float32)


def _even_around(colors: Floats, solid: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """(H, W) bool, equal within each block: it and half a block around it are solid and of uniform color.

    The Gaussian of a block reaches that far, over whatever is there.
    """
    window = np.ones((2 * side, 2 * side), np.uint8)
    even = (cv2.dilate(colors, window) - cv2.erode(colors, window) <= EVEN).all(2)
    even &= cv2.erode(solid.astype(np.uint8), window, borderValue=0) > 0
    height, width = solid.shape
    middle = even[side // 2 :: side, side // 2 :: side]
    blocks = np.kron(middle, np.ones((side, side), bool))[:height, :width]
    return np.pad(blocks, [(0, height - blocks.shape[0]), (0, width - blocks.shape[1])])


def _even_blocks(
    depth: Floats, colors: Floats, free: NDArray[np.bool_], side: int, step: float
) -> tuple[_Blocks, NDArray[np.bool_]]:
    """Blocks of ``side`` x ``side`` free pixels with uniform color and planar depth, and the (H, W) bool they cover."""
    height, width = depth.shape
    down, across = height // side, width // side

    def cells(values: NDArray[np.generic]) -> NDArray[np.generic]:
        cut = values[: down * side, : across * side]
        return cut.reshape(down, side, across, side, *values.shape[2:]).swapaxes(1, 2)

    whole = np.asarray(cells(free)).all((2, 3))
    tones = np.asarray(cells(colors), np.float32)
    deep = np.nan_to_num(np.asarray(cells(depth), np.float32))
    t = np.arange(side, dtype=np.float32) - (side - 1) / 2
    norm = np.float32(side * np.sum(t**2))
    mean = deep.mean((2, 3))
    slope_x = (deep * t).sum((2, 3)) / norm
    slope_y = (deep * t[:, None]).sum((2, 3)) / norm
    plane = mean[..., None, None] + slope_x[..., None, None] * t + slope_y[..., None, None] * t[:, None]
    whole &= np.abs(deep - plane).max((2, 3)) <= step / 4
    row, column = np.nonzero(whole)
    taken = np.zeros(depth.shape, bool)
    taken[: down * side, : across * side] = np.kron(whole, np.ones((side, side), bool))
    middle = side / 2
    found = _Blocks(
        column.astype(np.float32) * side + middle,
        row.astype(np.float32) * side + middle,
        side,
        tones.mean((2, 3))[row, column],
        np.ones(len(row), np.float32),
        mean[row, column],
        slope_x[row, column],
        slope_y[row, column],
    )
    return found, taken


def _gaussians(
    blocks: _Blocks,
    size: Size,
    border: float,
    camera: Camera,
    aspect: float,
    step: float,
    near_far: tuple[float, float] | None,
) -> tuple[NDArray[np.generic], ...]:
    """Return positions, scales, rotations, colors and opacities in world space; ``size`` includes the border."""
    least, most = (FARTHEST_INVERSE, 1.0) if near_far is None else (1 / near_far[1], 1 / near_far[0])
    inverse = least + (most - least) * blocks.depth.astype(np.float64)
    focal = camera.focal(aspect)
    scale = 1 + 2 * border
    x = blocks.columns / size.width * scale - border - 0.5
    y = 0.5 + border - blocks.rows / size.height * scale
    ray = np.column_stack([x / focal, y / (focal * aspect), -np.ones(len(x))])
    # A point is ray / inverse; its derivatives along a column and a row of pixels span the surface.
    along = np.zeros_like(ray)
    along[:, 0] = scale / (focal * size.width)
    down = np.zeros_like(ray)
    down[:, 1] = -scale / (focal * aspect * size.height)
    tangents = []
    slopes = np.abs(blocks.slope_x) + np.abs(blocks.slope_y)
    # About a third of a pixel of parallax; on flat areas a tenth of it: renderers order equal depths differently.
    far = np.clip(slopes * SHUFFLE * blocks.side, step / 30, step / 3)
    shuffle = np.random.default_rng(0).uniform(-1, 1, len(ray)) * far
    positions = ray / np.maximum(inverse + (most - least) * shuffle, least / 2)[:, None]
    for direction, slope in ((along, blocks.slope_x), (down, blocks.slope_y)):
        straight = direction / inverse[:, None]
        bend = -ray * ((most - least) * slope / inverse**2)[:, None]
        longest = STEEPEST * np.linalg.norm(straight, axis=1)
        bend *= np.minimum(1, longest / np.maximum(np.linalg.norm(bend, axis=1), 1e-30))[:, None]
        tangents.append((straight + bend) * ((SIGMA if blocks.side == 1 else BLOCK_SIGMA) * blocks.side))
    scales, rotations = _axes(*tangents)
    colors = np.rint(np.clip(blocks.colors, 0, 255)).astype(np.uint8)
    return positions.astype(np.float32), scales, rotations, colors, (blocks.alpha * OPACITY).astype(np.float32)


def _axes(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Standard deviations and rotation of the flat Gaussian with covariance first first' + second second'."""
    a, b, c = (np.einsum("ij,ij->i", *pair) for pair in ((first, first), (first, second), (second, second)))
    # Principal axes within the plane: the eigenvectors of the 2x2 Gram matrix [[a, b], [b, c]].
    angle = 0.5 * np.arctan2(2 * b, a - c)
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    long, short = first * cosine + second * sine, second * cosine - first * sine
    lengths = np.stack([np.linalg.norm(long, axis=1), np.linalg.norm(short, axis=1)], axis=1)
    lengths = np.maximum(lengths, 1e-9)
    one, two = long / lengths[:, :1], short / lengths[:, 1:]
    scales = np.column_stack([lengths, lengths.min(1) * THIN])
    return scales.astype(np.float32), _quaternions(np.stack([one, two, np.cross(one, two)], axis=2))


def _quaternions(matrices: NDArray[np.float64]) -> Floats:
    """(N, 3, 3) rotation matrices -> (N, 4) unit quaternions (w, x, y, z), w >= 0."""
    m = matrices
    diagonal = m[:, [0, 1, 2], [0, 1, 2]]
    trace = diagonal.sum(1)
    # Four ways to start, one for the largest component each (Shepperd 1978): none divides by a small number.
    options = np.empty((len(m), 4, 4))
    options[:, 0] = np.column_stack(
        [1 + trace, m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]]
    )
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        option = np.empty((len(m), 4))
        option[:, 0] = m[:, j, i] - m[:, i, j]
        option[:, 1 + k] = 1 + 2 * diagonal[:, k] - trace
        option[:, 1 + i] = m[:, i, k] + m[:, k, i]
        option[:, 1 + j] = m[:, j, k] + m[:, k, j]
        options[:, 1 + k] = option
    best = np.argmax(np.column_stack([trace, diagonal]), axis=1)
    chosen = options[np.arange(len(m)), best]
    chosen /= np.linalg.norm(chosen, axis=1, keepdims=True)
    return np.asarray(np.where(chosen[:, :1] < 0, -chosen, chosen), np.float32)
