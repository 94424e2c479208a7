"""A photo and its depth become layers: the torn picture in front, the completed background behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.camera import Camera
from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.geometry.background.border import continue_outwards
from depth3d.geometry.background.fill import pull_push
from depth3d.geometry.background.hidden import (
    ALL_WAYS,
    FROM_LEFT,
    FROM_RIGHT,
    Hidden,
    clear_of_outlines,
    continue_far_side,
)
from depth3d.geometry.background.texture import paint_hidden
from depth3d.geometry.edges.discontinuities import Cuts, find_cuts
from depth3d.geometry.edges.matte import unmixed
from depth3d.geometry.edges.sharpen import SOFT_SHARE, grow, grow_over_mixed, sharpen, softness
from depth3d.geometry.mesh.displace import torn_sheet
from depth3d.image import Image, Size
from depth3d.layeredmesh import Layer, LayeredMesh
from depth3d.options import Quality

__all__ = ["build_layers"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

TEAR_PIXELS = 1.0  # neighbours whose shifts part by more are torn
FLAT_PIXELS = 0.25  # error of shift allowed where triangles merge
COARSE_FLAT_PIXELS = 0.5  # the same in the faster qualities
UNDER_PIXELS = 0.05  # of shift; a rim that goes on in the front's surface lies by so much behind it
GROW_WIDTH = 900  # the foreground grows by one pixel for each of these pixels of width
SOFT_GROW_WIDTH = 500  # the same where the depth was soft, so that its edges are a little off
BACKDROP_CELL = 16
_CELLS: dict[str, int] = {"draft": 6, "normal": 4, "high": 1}
_WAYS = {"all": ALL_WAYS, "right": FROM_RIGHT, "left": FROM_LEFT}


@dataclass(frozen=True, slots=True, eq=False)
class _Photo:
    """The photo continued beyond its border by ``margin`` pixels, and how far its depths shift it."""

    size: Size
    margin: int
    travel: float
    pixels: NDArray[np.uint8]
    shift: Floats
    soft: bool


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
    """Tear the picture along its depth steps and complete the background behind the foreground.

    Raises ``InvalidInput`` if the sizes differ or the parallax is negative.

    Parameters
    ----------
    image : Image
        The photo at the size it will be shown at.
    depth : DepthMap
        Of the same size (resize before).
    parallax_percent : float
        The largest shift between nearest and farthest that any view will show, percent of the width; decides what
        counts as a tear and how far behind the foreground the background is filled.
    ways : str
        Where the camera will go: "all", or only to the "right" or "left" (one eye of a stereo pair).
    quality : Quality
        "high" cuts outlines into the mesh, pixel by pixel; "normal" and "draft" take larger, faster cells there and
        cut the outline by the texture's alpha, as sharp as before.
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
    photo = _continued(image.eight_bit(), depth, parallax_percent / 100 * image.size.width, border_percent)
    cell = _CELLS[quality]
    pixels = max(1, round(image.size.width / (SOFT_GROW_WIDTH if photo.soft else GROW_WIDTH)))
    cover = grow(photo.shift, pixels, sideways_only=ways != "all") if photo.travel > TEAR_PIXELS else photo.shift
    if ways != "all":
        cover = grow_over_mixed(cover, photo.pixels)
    first, second = continue_far_side(photo.shift, cover, TEAR_PIXELS, _WAYS[ways])
    if photo.soft:
        first, second = (clear_of_outlines(hidden, photo.shift, pixels) for hidden in (first, second))
    front, carved = _front(photo, cover, cell, pixels)
    needed = first.under | carved | (cover - photo.shift > TEAR_PIXELS)
    middle, painted = _back(photo, photo.pixels, first, cover, needed, cell)
    back, _ = _back(photo, painted, second, cover, second.under, cell)
    layers = [back, middle, front]
    if backdrop:
        layers.insert(0, _backdrop(photo))
    return LayeredMesh(tuple(layer for layer in layers if layer is not None), image.size, Camera.of_photo(image))


def _continued(image: Image, depth: DepthMap, travel: float, border_percent: float | None) -> _Photo:
    """Continue the photo outwards as far as the camera can see."""
    told = depth.values * np.float32(travel)
    shift = sharpen(told, image.pixels)
    margin = math.ceil(travel if border_percent is None else border_percent / 100 * image.size.width) + 2
    pixels, shifts = continue_outwards(image.pixels, shift, margin, TEAR_PIXELS)
    return _Photo(image.size, margin, travel, pixels, shifts, softness(told) >= SOFT_SHARE)


def _front(photo: _Photo, cover: Floats, cell: int, grown: int) -> tuple[Layer, Mask]:
    """The visible surface; (H, W) where it is transparent, so that the background must show through."""
    cells = _pooled(cover, cell, np.max)
    if cell > 1:
        low = _pooled(cover, cell, np.min)
        mean = _pooled(cover, cell, np.mean)
        cells = np.where(cells - low > TEAR_PIXELS + cell * 0.5, cells, mean)
    near = np.kron(cells, np.ones((cell, cell), np.float32))[: cover.shape[0], : cover.shape[1]]
    carved = near - cover > TEAR_PIXELS + 0.5 * (cell - 1) if cell > 1 else np.zeros(cover.shape, bool)
    outline = ~carved & (near - photo.shift > TEAR_PIXELS + 0.5 * (cell - 1))
    pixels, alpha = unmixed(photo.pixels, outline, photo.shift, grown)
    alpha[carved] = 0
    picture = Image(pixels, alpha if carved.any() or outline.any() else None)
    return _layer(photo, cells, _cell_cuts(cells, cover, cell), cell, picture), carved


def _back(
    photo: _Photo, beside: NDArray[np.uint8], hidden: Hidden, cover: Floats, needed: Mask, cell: int
) -> tuple[Layer | None, NDArray[np.uint8]]:
    """What the front hides, and what it lets show through, where it is ``needed``; and its colours."""
    if not needed.any():
        return None, beside
    painted = paint_hidden(beside, photo.pixels, hidden, photo.shift, cover, TEAR_PIXELS)
    # Nobody sees the outline of this layer, so its cells may be larger than those in front.
    cell = 2 * cell if cell > 1 else 1
    weight = needed.astype(np.float32)
    many = _pooled(weight, cell, np.mean)
    mean = _pooled(hidden.depth * weight, cell, np.mean) / np.maximum(many, 1e-6)
    cells = np.where(many > 0, mean, _pooled(hidden.depth, cell, np.min)).astype(np.float32)
    # One cell more all round: the seam between the layers lies under the front.
    wanted = cv2.dilate((many > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    cells = _under_front(cells, wanted & (many == 0))
    return _layer(photo, cells, find_cuts(cells, _tolerance(cell)), cell, Image(painted), wanted), painted


def _under_front(cells: Floats, rim: Mask) -> Floats:
    """Depths at which the rim of a hidden layer lies behind the front, whose depth it would have else.

    At equal depth, the colours that run from the hidden place into the rim would show as dots in the front.
    """
    inner = np.where(rim, np.float32(np.inf), cells)
    around = cv2.erode(inner, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.where(rim, np.where(cells - around > TEAR_PIXELS, around, cells - np.float32(UNDER_PIXELS)), cells)


def _backdrop(photo: _Photo) -> Layer | None:
    """A coarse sheet at the farthest depth within reach, softly filled: shown only where the others have a hole."""
    cell = BACKDROP_CELL
    low, high = _pooled(photo.shift, cell, np.min), _pooled(photo.shift, cell, np.max)
    reach = 2 * math.ceil(photo.travel / cell) + 3
    # Two cells wider than where the sheet is shown: at its rim it must lie at the back, too.
    far = cv2.erode(low, np.ones((reach + 4, reach + 4), np.uint8))
    near_tear = cv2.dilate(high - low, np.ones((reach, reach), np.uint8)) > TEAR_PIXELS
    if not near_tear.any():
        return None
    known = high - far < TEAR_PIXELS
    small = cv2.resize(photo.pixels, far.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    filled = np.clip(pull_push(small, known) + 0.5, 0, 255).astype(np.uint8)
    depth = np.maximum(cv2.blur(far, (3, 3)) - np.float32(TEAR_PIXELS), 0)
    return _layer(photo, depth, find_cuts(depth, math.inf), cell, Image(filled), near_tear)


def _cell_cuts(cells: Floats, cover: Floats, cell: int) -> Cuts:
    """Tears between cells: where they part, and a tear between pixels runs through or along them.

    Without the second condition a steep but whole surface would crack, with nothing prepared behind it.
    """
    cuts = find_cuts(cells, _tolerance(cell))
    if cell == 1:
        return cuts
    torn = _pooled(find_cuts(cover, TEAR_PIXELS).beside(), cell, np.max) > 0
    return Cuts(cuts.right & (torn[:, 1:] | torn[:, :-1]), cuts.below & (torn[1:] | torn[:-1]))


def _tolerance(cell: int) -> float:
    return TEAR_PIXELS + 0.5 * (cell - 1)


def _pooled(values: Floats | Mask, cell: int, how: object) -> Floats:
    """One value for each cell of ``cell`` x ``cell`` pixels; the last ones repeat the border."""
    if cell == 1:
        return np.asarray(values, np.float32)
    height, width = values.shape
    padded = np.pad(values, ((0, -height % cell), (0, -width % cell)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // cell, cell, padded.shape[1] // cell, cell)
    return np.asarray(how(blocks, axis=(1, 3)), np.float32)  # type: ignore[operator]


def _layer(photo: _Photo, cells: Floats, cuts: Cuts, cell: int, picture: Image, wanted: Mask | None = None) -> Layer:
    """Mesh the cells; from pixels of shift back to depth."""
    if wanted is not None:
        # Cut out what is wanted: no triangle may span to where the sheet means nothing.
        cuts = Cuts(
            cuts.right | (wanted[:, 1:] != wanted[:, :-1]),
            cuts.below | (wanted[1:] != wanted[:-1]),
        )
    flat = FLAT_PIXELS if cell == 1 else COARSE_FLAT_PIXELS
    sheet = torn_sheet(cells, cuts, flat, wanted)
    pixels = sheet.corners * np.float32(cell)
    place = ((pixels - photo.margin) / np.array(photo.size, np.float32)).astype(np.float32)
    height, width = photo.shift.shape
    covered = np.array([width, height], np.float32)
    # Larger cells end at a tear in transparent pixels; half of such a cell would be too far to look aside.
    looks = sheet.texels if cell == 1 else pixels
    depth = np.clip(sheet.depth / np.float32(max(photo.travel, 1e-6)), 0, 1)
    return Layer(place, depth, looks / covered, sheet.faces.astype(np.uint32), picture)
