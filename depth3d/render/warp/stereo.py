"""Draws both eyes of a clip's frames without a mesh (depth-image-based rendering, ``shaders/warp/stereo.frag.glsl``).

Same geometry as ``pipeline.views.stereo_pair``: a point of depth v lands at x - W * parallax/100 * (v - convergence).
Disoccluded pixels are filled from the background side, then smoothed along columns
(``shaders/warp/smooth_gaps.frag.glsl``).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.image import Image, Size
from depth3d.render.context import on_render_thread
from depth3d.render.shaders import make_program, set_uniforms
from depth3d.render.warp.base import ScreenSpaceRenderer

__all__ = ["StereoWarp"]

BLOCK_BITS = 3
BLOCK = Size(1 << BLOCK_BITS, 1 << BLOCK_BITS)  # pixels that share the bounds of their search
DISCONTINUITY_PIXELS = 1.0  # a larger step between neighbors opens a gap
LIKE_PIXELS = 2.0  # of shift: pixels of a gap whose depths differ by less are smoothed together


class StereoWarp(ScreenSpaceRenderer):
    """Draws both eyes of frames of ``size``; a context manager.

    Parameters
    ----------
    size : Size
        Size of one eye.
    stack : bool
        True: the left eye is above the right one; False: to its left.
    samples : int
        Samples averaged across each pixel: 1 gives aliased silhouettes, 2 or more smooth ones.
    """

    @on_render_thread
    def __init__(self, size: Size, *, stack: bool = False, samples: int = 2) -> None:
        drawn = Size(size.width, 2 * size.height) if stack else Size(2 * size.width, size.height)
        defines = {"STACK": stack, "SAMPLES": samples, "BLOCK_BITS": BLOCK_BITS}
        super().__init__(size, drawn, ("compose.vert.glsl", "warp/stereo.frag.glsl"), {**defines, "GAPS": False})
        self._searching: Any = make_program(
            self._context, "warp/gap_blocks.vert.glsl", "warp/stereo.frag.glsl", {**defines, "GAPS": True}
        )
        for program in (self._program, self._searching):
            set_uniforms(program, picture=0, depth=1, bounds=2, size=tuple(size))
        set_uniforms(self._searching, tolerance=DISCONTINUITY_PIXELS, drawn_size=tuple(drawn))
        self._depth = self._data_texture(size, 1)
        blocks = Size(-(-size.width // BLOCK.width), -(-size.height // BLOCK.height))
        self._bounds = self._data_texture(blocks, 4)
        self._smoothing: Any = make_program(
            self._context, "warp/gap_blocks.vert.glsl", "warp/smooth_gaps.frag.glsl", defines
        )
        set_uniforms(self._smoothing, drawn=0, drawn_size=tuple(drawn), height=size.height)
        self._gaps: Any = self._context.buffer(reserve=2 * blocks.pixels * 8, dynamic=True)
        self._gap_blocks, self._smooth_blocks = (
            self._context.vertex_array(program, [(self._gaps, "2i/i", "origin")])
            for program in (self._searching, self._smoothing)
        )
        self._gap_count = 0
        self._data += [self._gaps, self._gap_blocks, self._smooth_blocks, self._searching, self._smoothing]
        self._copy: Any = None

    @on_render_thread
    def draw(self, image: Image, depth: DepthMap, left: float, right: float, convergence: float) -> Image:
        """Render both eyes side by side (or one above the other), as one picture of ``drawn`` pixels.

        Raises ``InvalidInput`` if the picture or the depth has another size.

        Parameters
        ----------
        image : Image
            uint8 or uint16, of size ``size``.
        depth : DepthMap
            Depth of the same size.
        left, right : float
            Shift of each eye between depth 0 and 1, percent of the width: positive for the right eye, negative for the
            left eye. An eye with shift 0 is the unchanged picture, bit for bit.
        convergence : float
            Depth in [0, 1] with zero disparity.
        """
        self._check(image, depth)
        width = self.size.width / 100
        shifts = (left * width, right * width)
        if any(shifts):
            self._upload(image, depth, shifts, convergence)
        if all(shifts):
            return Image(self._rendered((0, 0, *self.drawn)))
        joined = np.empty((self.drawn.height, self.drawn.width, 3), image.pixels.dtype)
        places = [joined[: self.size.height, : self.size.width], joined[-self.size.height :, -self.size.width :]]
        for place, shift in zip(places, shifts, strict=True):
            if shift == 0:
                place[...] = image.pixels
        if any(shifts):
            second = int(shifts[1] != 0)
            corner = (second * (self.drawn.width - self.size.width), second * (self.drawn.height - self.size.height))
            places[second][...] = self._rendered((*corner, *self.size))
        return Image(joined)

    def _upload(self, image: Image, depth: DepthMap, shifts: tuple[float, float], convergence: float) -> None:
        self._load(image)
        self._depth.write(np.ascontiguousarray(depth.values).data)
        bounds, torn = _bounds(depth.values, shifts, convergence)
        self._bounds.write(bounds.data)
        for program in (self._program, self._searching):
            set_uniforms(program, strength=shifts, convergence=convergence)
        set_uniforms(self._smoothing, like=LIKE_PIXELS / max(map(abs, shifts)))
        gaps = _blocks_with_gaps(torn, self.drawn, self.size)
        self._gap_count = len(gaps)
        if len(gaps):
            self._gaps.write(gaps.data)

    def _prepare(self, kind: str) -> None:
        if kind != self._kind:
            super()._prepare(kind)
            self._copy = self._context.framebuffer([self._context.texture(tuple(self.drawn), 4, dtype=kind)])

    def _free_pictures(self) -> None:
        if self._target is not None:
            for thing in (*self._copy.color_attachments, self._copy):
                thing.release()
        super()._free_pictures()

    def _rendered(self, box: tuple[int, int, int, int]) -> NDArray[Any]:
        self._render((self._depth, self._bounds), box)
        if self._gap_count:
            self._target.viewport = self._copy.viewport = (0, 0, *self.drawn)
            self._target.use()
            self._gap_blocks.render(self._context.TRIANGLE_STRIP, vertices=4, instances=self._gap_count)
            self._context.copy_framebuffer(self._copy, self._target)
            self._copy.color_attachments[0].use(0)
            self._target.use()
            self._smooth_blocks.render(self._context.TRIANGLE_STRIP, vertices=4, instances=self._gap_count)
        return self._read(box)


def _bounds(
    values: NDArray[np.float32], shifts: tuple[float, float], convergence: float
) -> tuple[NDArray[np.float32], list[NDArray[np.bool_]]]:
    """What can land in each block: first and last column of a pixel's search, relative to the pixel, for both eyes.

    Returns these, (rows, columns, 4), and for each eye (rows, columns) whether discontinuities are among it.
    """
    low, high = (_reduced(values, reduce) for reduce in (np.minimum, np.maximum))
    steps = np.zeros_like(values)
    np.subtract(values[:, 1:], values[:, :-1], out=steps[:, :-1])
    steps = _reduced(np.abs(steps, out=steps), np.maximum)
    found, torn = np.empty((*low.shape, 4), np.float32), []
    for eye, shift in enumerate(shifts):
        ends = sorted(shift * (float(v) - convergence) for v in (low.min(), high.max()))
        # Relative indices of the blocks whose pixels can land in a block, its own included; two extra columns for
        # rounding.
        first = min(0, int(np.floor((ends[0] - 2) / BLOCK.width)))
        last = max(0, int(np.floor((BLOCK.width + ends[1] + 2) / BLOCK.width)))
        window, anchor = np.ones((1, last - first + 1), np.uint8), (-first, 0)
        far = cv2.erode(low, window, anchor=anchor, borderType=cv2.BORDER_REPLICATE)
        near = cv2.dilate(high, window, anchor=anchor, borderType=cv2.BORDER_REPLICATE)
        step = cv2.dilate(steps, window, anchor=anchor, borderType=cv2.BORDER_REPLICATE)
        torn.append(np.asarray(step * abs(shift) > DISCONTINUITY_PIXELS))
        reach = [shift * (np.asarray(side, np.float32) - convergence) for side in (far, near)]
        found[..., 2 * eye], found[..., 2 * eye + 1] = np.minimum(*reach), np.maximum(*reach)
    return found, torn


def _reduced(values: NDArray[np.float32], reduce: np.ufunc) -> NDArray[np.float32]:
    """Minimum or maximum of each block; those at the right and the lower border may be smaller."""
    height, width = values.shape
    whole = height // BLOCK.height * BLOCK.height
    rows = reduce.reduce(values[:whole].reshape(-1, BLOCK.height, width), axis=1)
    if whole < height:
        rows = np.concatenate([rows, reduce.reduce(values[whole:], axis=0, keepdims=True)])
    blocks: NDArray[np.float32] = reduce.reduceat(rows, np.arange(0, width, BLOCK.width), axis=1)
    return blocks


def _blocks_with_gaps(torn: list[NDArray[np.bool_]], drawn: Size, size: Size) -> NDArray[np.int32]:
    """(N, 2) pixels (x, y) of both eyes where the blocks begin in which a gap can open."""
    found = []
    for eye, blocks in enumerate(torn):
        rows, columns = np.nonzero(blocks)
        corner = eye * (drawn.width - size.width), eye * (drawn.height - size.height)
        found.append(np.stack([columns * BLOCK.width + corner[0], rows * BLOCK.height + corner[1]], axis=1))
    return np.concatenate(found).astype(np.int32)
