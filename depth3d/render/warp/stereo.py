"""Two eyes from the frames of a clip, fast: no mesh is built, one pass draws both (``shaders/warp/stereo.frag.glsl``).

Same geometry as ``pipeline.views.stereo_pair``: a point of depth v lands at x - W * parallax/100 * (v - convergence).
What opens behind the foreground is filled from the far side. 8-bit pictures stay 8 bits, 16-bit ones 16 (HDR).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import ContextError, InvalidInput
from depth3d.image import Image, Size
from depth3d.render.context import get_context
from depth3d.render.shaders import make_program, set_uniforms

__all__ = ["EyeRenderer"]

BLOCK = Size(16, 8)  # pixels that share the bounds of their search
TEAR_PIXELS = 1.0  # a step of more than this between neighbours opens a gap


class EyeRenderer:
    """Draws both eyes of frames of ``size``; use from one thread; a context manager.

    Parameters
    ----------
    size : Size
        Of one eye.
    stack : bool
        The left eye above the right one, instead of to its left.
    samples : int
        Across each pixel, averaged: 1 is crisp, 2 and more smooth silhouettes.
    """

    def __init__(self, size: Size, *, stack: bool = False, samples: int = 2) -> None:
        self.size = size
        self.drawn = Size(size.width, 2 * size.height) if stack else Size(2 * size.width, size.height)
        self._context = get_context()
        largest = int(self._context.info["GL_MAX_TEXTURE_SIZE"])
        if max(self.drawn) > largest:
            raise ContextError(f"both eyes together are {self.drawn}, more than this GPU draws ({largest}); use --size")
        defines = {"STACK": stack, "SAMPLES": samples, "BLOCK_WIDTH": BLOCK.width, "BLOCK_HEIGHT": BLOCK.height}
        self._program = make_program(self._context, "compose.vert.glsl", "warp/stereo.frag.glsl", defines)
        set_uniforms(self._program, picture=0, depth=1, bounds=2, size=tuple(size), tear=TEAR_PIXELS)
        self._array = self._context.vertex_array(self._program, [])
        self._depth = self._context.texture(tuple(size), 1, dtype="f4")
        self._depth.filter = (self._context.NEAREST, self._context.NEAREST)
        blocks = (-(-size.width // BLOCK.width), -(-size.height // BLOCK.height))
        self._bounds = self._context.texture(blocks, 4, dtype="f4")
        self._bounds.filter = (self._context.NEAREST, self._context.NEAREST)
        self._picture: Any = None
        self._target: Any = None
        self._kind = ""

    def __enter__(self) -> EyeRenderer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    def draw(self, image: Image, depth: DepthMap, left: float, right: float, convergence: float) -> Image:
        """Both eyes beside (or above) each other.

        Raises ``InvalidInput`` for another size.

        Parameters
        ----------
        image : Image
            uint8 or uint16, ``size`` large.
        depth : DepthMap
            Of the same size.
        left, right : float
            Shift of each eye between depth 0 and 1, percent of the width: the right eye's is positive, the left eye's
            negative; an eye with 0 is the picture itself, bit for bit.
        """
        if image.size != self.size or depth.size != self.size:
            raise InvalidInput(f"EyeRenderer: image {image.size}, depth {depth.size}; expected both {self.size}")
        width = self.size.width / 100
        shifts = (left * width, right * width)
        joined = np.empty((self.drawn.height, self.drawn.width, 3), image.pixels.dtype)
        places = [joined[: self.size.height, : self.size.width], joined[-self.size.height :, -self.size.width :]]
        for place, shift in zip(places, shifts, strict=True):
            if shift == 0:
                place[...] = image.pixels
        if any(shifts):
            self._upload(image, depth, shifts, convergence)
        if all(shifts):
            joined[...] = self._rendered((0, 0, *self.drawn), joined.dtype)
        elif any(shifts):
            second = int(shifts[1] != 0)
            corner = (second * (self.drawn.width - self.size.width), second * (self.drawn.height - self.size.height))
            places[second][...] = self._rendered((*corner, *self.size), joined.dtype)
        return Image(joined)

    def _upload(self, image: Image, depth: DepthMap, shifts: tuple[float, float], convergence: float) -> None:
        self._prepare("nu2" if image.pixels.dtype == np.uint16 else "f1")
        self._picture.write(np.ascontiguousarray(image.pixels).data)
        self._depth.write(np.ascontiguousarray(depth.values).data)
        self._bounds.write(_bounds(depth.values, shifts, convergence).data)
        set_uniforms(self._program, strength=shifts, convergence=convergence)

    def _rendered(self, box: tuple[int, int, int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Draw this part (left, top, width, height) of the target and read it back."""
        self._context.disable(self._context.BLEND | self._context.DEPTH_TEST | self._context.CULL_FACE)
        self._picture.use(0)
        self._depth.use(1)
        self._bounds.use(2)
        self._target.viewport = box
        self._target.use()
        self._array.render(vertices=3)
        raw = self._target.read(viewport=box, components=3, alignment=1, dtype=self._kind)
        return np.frombuffer(raw, dtype).reshape(box[3], box[2], 3)

    def release(self) -> None:
        """Free the GPU memory."""
        self._free()
        for thing in (self._depth, self._bounds, self._array, self._program):
            thing.release()

    def _prepare(self, kind: str) -> None:
        if kind == self._kind:
            return
        self._free()
        self._picture = self._context.texture(tuple(self.size), 3, dtype=kind, alignment=1)
        self._target = self._context.framebuffer([self._context.texture(tuple(self.drawn), 4, dtype=kind)])
        self._kind = kind

    def _free(self) -> None:
        if self._target is not None:
            for thing in (self._picture, *self._target.color_attachments, self._target):
                thing.release()


def _bounds(values: NDArray[np.float32], shifts: tuple[float, float], convergence: float) -> NDArray[np.float32]:
    """(rows, columns, 4) of blocks: where the search of a pixel begins and ends, as columns from it, for both eyes."""
    height, width = values.shape
    rows, columns = np.arange(0, height, BLOCK.height), np.arange(0, width, BLOCK.width)
    low = np.minimum.reduceat(np.minimum.reduceat(values, rows, axis=0), columns, axis=1)
    high = np.maximum.reduceat(np.maximum.reduceat(values, rows, axis=0), columns, axis=1)
    found = np.empty((len(rows), len(columns), 4), np.float32)
    for eye, shift in enumerate(shifts):
        ends = sorted(shift * (float(v) - convergence) for v in (low.min(), high.max()))
        # What lands in a block comes from these blocks, counted from it; two columns to spare for rounding.
        first = int(np.floor((ends[0] - 2) / BLOCK.width))
        last = int(np.floor((BLOCK.width + ends[1] + 2) / BLOCK.width))
        near = [_shifted(high, n) for n in range(first, last + 1)]
        far = [_shifted(low, n) for n in range(first, last + 1)]
        reach = shift * (np.stack([np.min(far, 0), np.max(near, 0)]) - convergence)
        found[..., 2 * eye], found[..., 2 * eye + 1] = reach.min(0), reach.max(0)
    return found


def _shifted(blocks: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Each block replaced by the one ``count`` to its right; at the border, by the last."""
    return blocks[:, np.clip(np.arange(blocks.shape[1]) + count, 0, blocks.shape[1] - 1)]
