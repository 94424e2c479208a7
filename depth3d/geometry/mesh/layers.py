"""Builds a layered mesh from a photo and its depth: the picture in front, the extended background behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.camera import Camera
from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.geometry.background.border import extend_border
from depth3d.geometry.background.disocclusion import (
    ALL_WAYS,
    FROM_LEFT,
    FROM_RIGHT,
    HiddenSurface,
    extend_background,
    read_beyond_rim,
    without_islands,
)
from depth3d.geometry.background.fill import pull_push
from depth3d.geometry.background.lines import Lines
from depth3d.geometry.background.texture import exclude_covered, paint_background, paint_rim, visible_lines
from depth3d.geometry.chunked import CACHED_PIXELS, return_freed_memory, row_bands
from depth3d.geometry.edges.discontinuities import Discontinuities, find_discontinuities
from depth3d.geometry.edges.matte import estimate_matte
from depth3d.geometry.edges.outlines import SharpDepth, sharp_depth
from depth3d.geometry.edges.sharpen import dilate_foreground, dilate_over_mixed
from depth3d.geometry.mesh.blocks import block_mean, block_rows, enlarged, masked_mean, pooled
from depth3d.geometry.mesh.displace import mesh_cells
from depth3d.geometry.pixels import colors_at
from depth3d.image import Image, Size, rounded
from depth3d.layeredmesh import Layer, LayeredMesh
from depth3d.options import Quality

__all__ = ["build_layers", "layers_of_rows"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Pixels = NDArray[Any]  # uint8 or uint16

STEP_PIXELS = 1.0  # pixels of shift: a larger step between neighbors is a depth discontinuity
FLAT_PIXELS = 0.25  # pixels of shift: error allowed where triangles merge
COARSE_FLAT_PIXELS = 0.5  # the same in the faster qualities
BEHIND_PIXELS = 0.05  # pixels of shift: offset of a layer's rim behind the front, against z-fighting
UNLIKE = 0.12  # of the range of levels, between two colors
GROW_WIDTH = 900  # pixels of width for each pixel by which the foreground is dilated
SOFT_GROW_WIDTH = 500  # the same for soft depth, whose edges are less exact
BACKDROP_CELL = 16
_CELLS: dict[str, int] = {"draft": 6, "normal": 4, "high": 1}
_WAYS = {"all": ALL_WAYS, "right": FROM_RIGHT, "left": FROM_LEFT}


@dataclass(frozen=True, slots=True, eq=False)
class _Photo:
    """The photo extended beyond its border by ``margin`` pixels, with its depth in pixels of shift."""

    size: Size
    margin: int
    travel: float
    pixels: Pixels
    shift: Floats
    soft: bool
    first_row: int = 0  # of the whole photo, if this is a band of it


MOST_PARALLAX = 25.0
"""Percent of the width; backgrounds are extended no further: nothing there is known, and time grows with the cube."""


def build_layers(
    image: Image,
    depth: DepthMap,
    *,
    parallax_percent: float,
    quality: Quality = "normal",
    ways: str = "all",
    backdrop: bool = True,
    border_percent: float | None = None,
) -> LayeredMesh:
    """Separate the picture at its depth discontinuities and extend the background behind the foreground.

    Raises ``InvalidInput`` if the sizes differ or the parallax is negative.

    Parameters
    ----------
    image : Image
        The photo at the size it will be shown at; the textures have as many bits.
    depth : DepthMap
        Of the same size (resize before).
    parallax_percent : float
        Largest shift between nearest and farthest in any view, percent of the width. It decides what counts as a
        discontinuity and how far the background is extended behind the foreground.
    ways : str
        Where the camera moves: "all", or only to the "right" or "left" (one eye of a stereo pair).
    quality : Quality
        "high" follows outlines with the mesh, pixel by pixel; "normal" and "draft" use larger, faster cells there and
        follow the outline with the texture's alpha, just as sharp.
    backdrop : bool
        A third, coarse layer behind all, so that no view shows a hole.
    border_percent : float | None
        How far views look beyond the photo's border, percent of the width; default as the parallax.
    """
    if image.size != depth.size:
        raise InvalidInput(f"build_layers: the depth map is {depth.size}, expected the picture's {image.size}")
    if not (math.isfinite(parallax_percent) and parallax_percent >= 0):
        raise InvalidInput(f"build_layers: parallax_percent is {parallax_percent}, expected a number >= 0")
    for name, value, known in (("ways", ways, _WAYS), ("quality", quality, _CELLS)):
        if value not in known:
            raise InvalidInput(f"build_layers: {name} is {value!r}, expected one of {', '.join(known)}")
    # A camera that stands at the nearest point gives 60,000 %: only pixels that no view shows would be computed.
    parallax_percent = min(parallax_percent, MOST_PARALLAX)
    photo = _continued(image, sharp_depth(image, depth, parallax_percent), border_percent)
    return_freed_memory()
    layers = [_backdrop(photo) if backdrop else None, *_layers(photo, quality, ways)]
    return_freed_memory()
    return LayeredMesh(tuple(layer for layer in layers if layer is not None), image.size, Camera.of_photo(image))


def layers_of_rows(image: Image, depth: SharpDepth, rows: slice, quality: Quality, ways: str) -> LayeredMesh:
    """Build the layers of a band of rows, at its place in the whole photo, for views that move sideways only.

    Parameters
    ----------
    image : Image
        The whole photo.
    depth : SharpDepth
        Its depth.
    rows : slice
        The band; in multiples of 256 rows from the top, so that the meshes of two bands have the same grid.
    quality, ways : Quality, str
        As for ``build_layers``.
    """
    photo = _continued(image, depth, None, rows)
    layers = tuple(layer for layer in _layers(photo, quality, ways) if layer is not None)
    return LayeredMesh(layers, image.size, Camera.of_photo(image))


def _layers(photo: _Photo, quality: Quality, ways: str) -> list[Layer | None]:
    """The front layer and the two behind it, back to front; the photo's depth is changed in place."""
    cell = _CELLS[quality]
    pixels = max(1, round(photo.size.width / (SOFT_GROW_WIDTH if photo.soft else GROW_WIDTH)))
    cover = (
        dilate_foreground(photo.shift, pixels, sideways_only=ways != "all")
        if photo.travel > STEP_PIXELS
        else photo.shift
    )
    if ways != "all":
        cover = dilate_over_mixed(cover, Image(photo.pixels).eight_bit().pixels)
    first, deeper = extend_background(photo.shift, cover, STEP_PIXELS, _WAYS[ways])
    if photo.soft:
        deeper = without_islands(first, deeper)
        read_beyond_rim(first, photo.shift, pixels)
        read_beyond_rim(deeper, photo.shift, pixels)
    return_freed_memory()
    front, carved = _front(photo, cover, first, cell, pixels)
    needed = carved  # 1 byte a pixel
    needed |= first.mask
    needed |= exclude_covered(photo.shift, cover, STEP_PIXELS)
    lines = visible_lines(photo.pixels, photo.shift, photo.first_row) if needed.any() else None
    middle, painted, before = _back(photo, photo.pixels, first, cover, needed, cell, lines)
    del needed, carved
    second = deeper.over(first)
    back, *_ = _back(photo, painted, second, cover, second.mask, cell, lines, before)
    return [back, middle, front]


def _continued(image: Image, depth: SharpDepth, border_percent: float | None, rows: slice | None = None) -> _Photo:
    """Extend the photo, or a band of its rows, outwards by what the views will show."""
    travel, rows = depth.travel, rows or slice(0, image.size.height)
    margin = math.ceil(travel if border_percent is None else border_percent / 100 * image.size.width) + 2
    # More than half the picture on each side is mirrored twice: nothing worth its memory.
    margin = min(margin, max(image.size) // 2 + 2)
    pixels, shifts = extend_border(image.pixels, depth.shift, margin, STEP_PIXELS, rows)
    return _Photo(image.size, margin, travel, pixels, shifts, depth.soft, rows.start)


def _front(photo: _Photo, cover: Floats, hidden: HiddenSurface, cell: int, grown: int) -> tuple[Layer, Mask]:
    """The front layer, and (H, W) where its texture is transparent."""
    cells = pooled(cover, cell, np.maximum)
    if cell > 1:
        low = pooled(cover, cell, np.minimum)
        mean = block_mean(cover, cell)
        cells = np.where(cells - low > STEP_PIXELS + cell * 0.5, cells, mean)
    carved, outline = np.zeros(cover.shape, bool), np.empty(cover.shape, bool)
    for rows, blocks in block_rows(cover.shape, cell):
        near = enlarged(cells[blocks], cell, cover[rows].shape)
        if cell > 1:
            carved[rows] = near - cover[rows] > _tolerance(cell)
        outline[rows] = ~carved[rows] & (near - photo.shift[rows] > _tolerance(cell))
    if cell > 1:
        carved.ravel()[_shown_wrong(photo.pixels, hidden, carved)] = False
    pixels, alpha = estimate_matte(photo.pixels, outline, photo.shift, grown)
    alpha[carved] = 0
    picture = Image(pixels, alpha if carved.any() or outline.any() else None)
    return _layer(photo, cells, _cell_steps(cells, cover, cell), cell, picture), carved


def _shown_wrong(picture: Pixels, hidden: HiddenSurface, carved: Mask) -> NDArray[np.int64]:
    """Flat indices of the pixels of ``carved`` at which the layer behind has another surface, of another color.

    Cut out of the front, a nearer thing's cells would show that surface as dashes in the one on which they lie.
    """
    places = np.flatnonzero(carved & hidden.mask)
    own, behind = (colors_at(picture, at) for at in (places, hidden.source.ravel().take(places)))
    unlike: Mask = np.abs(own - behind).max(0) > UNLIKE * np.iinfo(picture.dtype).max
    return places[unlike]


def _back(
    photo: _Photo,
    beside: Pixels,
    hidden: HiddenSurface,
    cover: Floats,
    needed: Mask,
    cell: int,
    lines: Lines | None,
    before: Floats | None = None,
) -> tuple[Layer | None, Pixels, Floats | None]:
    """A background layer that covers at least the pixels ``needed``, its colors, and the depth of its cells.

    ``before``: the last of these, of a layer in front of this one; infinite where that has no cell.
    """
    if not needed.any():
        return None, beside, before
    painted = paint_background(beside, photo.pixels, hidden, photo.shift, cover, photo.first_row, lines)
    return_freed_memory()
    # The outline of this layer is never seen, so its cells may be larger than those in front.
    cell = 2 * cell if cell > 1 else 1
    mean, many = masked_mean(hidden.depth, needed, cell)
    cells = np.where(many > 0, mean, pooled(hidden.depth, cell, np.minimum)).astype(np.float32)
    # One more cell all around, so that the seam between the layers is hidden behind the front layer.
    wanted = cv2.dilate((many > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    cells = _behind_front(cells, wanted & (many == 0))
    if before is not None:
        # The means of two layers over different pixels may be in the wrong order.
        cells = np.minimum(cells, cv2.erode(before, np.ones((3, 3), np.uint8)) - np.float32(BEHIND_PIXELS))
    # Front pixels inside the layer's cells become visible in moved views and must not show the front's colors.
    rim = np.empty(cover.shape, bool)
    for rows, blocks in block_rows(cover.shape, cell):
        drawn = enlarged(wanted[blocks], cell, cover[rows].shape) & ~hidden.mask[rows]
        rim[rows] = drawn & (cover[rows] - enlarged(cells[blocks], cell, cover[rows].shape) > STEP_PIXELS)
    paint_rim(painted, hidden.mask, rim)
    layer = _layer(photo, cells, find_discontinuities(cells, _tolerance(cell)), cell, Image(painted), wanted)
    cells[~wanted] = np.inf
    return layer, painted, cells


def _behind_front(cells: Floats, rim: Mask) -> Floats:
    """Push a background layer's rim cells behind the front layer to avoid z-fighting.

    At equal depth the layer's colors would show as dots in the front.
    """
    inner = np.where(rim, np.float32(np.inf), cells)
    around = cv2.erode(inner, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.where(rim, np.where(cells - around > STEP_PIXELS, around, cells - np.float32(BEHIND_PIXELS)), cells)


def _backdrop(photo: _Photo) -> Layer | None:
    """A coarse, smoothly filled layer at the farthest depth nearby: visible only where all other layers have a hole."""
    cell = BACKDROP_CELL
    low, high = pooled(photo.shift, cell, np.minimum), pooled(photo.shift, cell, np.maximum)
    reach = 2 * math.ceil(photo.travel / cell) + 3
    # Two cells wider than where the layer is drawn: its rim must be at the farthest depth, too.
    far = cv2.erode(low, np.ones((reach + 4, reach + 4), np.uint8))
    near_step = cv2.dilate(high - low, np.ones((reach, reach), np.uint8)) > STEP_PIXELS
    if not near_step.any():
        return None
    known = high - far < STEP_PIXELS
    small = cv2.resize(photo.pixels, far.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    filled = rounded(pull_push(small, known), photo.pixels.dtype)
    depth = np.maximum(cv2.blur(far, (3, 3)) - np.float32(STEP_PIXELS), 0)
    return _layer(photo, depth, find_discontinuities(depth, math.inf), cell, Image(filled), near_step)


def _cell_steps(cells: Floats, cover: Floats, cell: int) -> Discontinuities:
    """Discontinuities between cells: where their depths differ and a discontinuity between pixels is in or beside them.

    Without the second condition a steep but continuous surface would open cracks with no background behind them.
    """
    steps = find_discontinuities(cells, _tolerance(cell))
    if cell == 1:
        return steps
    split = np.empty(cells.shape, bool)
    for band in row_bands(cover.shape, halo=1, multiple=cell, pixels=CACHED_PIXELS):
        beside = find_discontinuities(cover[band.read], STEP_PIXELS).beside()[band.inside]
        split[band.rows.start // cell : -(-band.rows.stop // cell)] = pooled(beside, cell, np.logical_or)
    return Discontinuities(steps.right & (split[:, 1:] | split[:, :-1]), steps.below & (split[1:] | split[:-1]))


def _tolerance(cell: int) -> float:
    return STEP_PIXELS + 0.5 * (cell - 1)


def _layer(
    photo: _Photo, cells: Floats, steps: Discontinuities, cell: int, picture: Image, wanted: Mask | None = None
) -> Layer:
    """Mesh the cells and convert pixels of shift back to depth."""
    if wanted is not None:
        # No triangle may span from wanted cells to others, whose depth is undefined.
        steps = Discontinuities(
            steps.right | (wanted[:, 1:] != wanted[:, :-1]),
            steps.below | (wanted[1:] != wanted[:-1]),
        )
    flat = FLAT_PIXELS if cell == 1 else COARSE_FLAT_PIXELS
    sheet = mesh_cells(cells, steps, flat, wanted)
    pixels = sheet.corners * np.float32(cell)
    origin = np.array([photo.margin, photo.margin - photo.first_row], np.float32)
    place = ((pixels - origin) / np.array(photo.size, np.float32)).astype(np.float32)
    height, width = photo.shift.shape
    covered = np.array([width, height], np.float32)
    # Larger cells end at a discontinuity in transparent pixels; half of such a cell is too far to move texels.
    looks = sheet.texels if cell == 1 else pixels
    depth = np.clip(sheet.depth / np.float32(max(photo.travel, 1e-6)), 0, 1)
    return Layer(place, depth, looks / covered, sheet.faces.astype(np.uint32), picture)
