"""Frames of a clip as a moving camera sees them, fast: no mesh is built (``shaders/warp/reproject.frag.glsl``).

The same cameras as ``render.renderer.Renderer``. 8-bit pictures stay 8 bits, 16-bit ones 16 (HDR).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from depth3d.camera import FARTHEST_INVERSE, Camera, photo_to_view
from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image, Size
from depth3d.render.context import get_context
from depth3d.render.shaders import make_program, set_uniforms

__all__ = ["FlightRenderer"]

TEAR_PIXELS = 1.0


class FlightRenderer:
    """Draws frames of ``size`` from other cameras; use from one thread; a context manager."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self._context = get_context()
        self._program = make_program(self._context, "compose.vert.glsl", "warp/reproject.frag.glsl")
        inverse_range = (FARTHEST_INVERSE, 1 - FARTHEST_INVERSE)
        set_uniforms(self._program, picture=0, depth=1, size=tuple(size), tear=TEAR_PIXELS, inverse_range=inverse_range)
        self._array = self._context.vertex_array(self._program, [])
        self._depth = self._context.texture(tuple(size), 1, dtype="f4")
        self._depth.repeat_x = self._depth.repeat_y = False
        self._picture: Any = None
        self._target: Any = None
        self._kind = ""

    def __enter__(self) -> FlightRenderer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    def draw(self, image: Image, depth: DepthMap, camera: Camera) -> Image:
        """The frame as ``camera`` sees it; the photographer stands at the origin.

        Raises ``InvalidInput`` if picture or depth have another size.
        """
        if image.size != self.size or depth.size != self.size:
            raise InvalidInput(f"FlightRenderer: image {image.size}, depth {depth.size}; expected both {self.size}")
        deep = image.pixels.dtype == np.uint16
        self._prepare("nu2" if deep else "f1")
        self._picture.write(np.ascontiguousarray(image.pixels).data)
        self._depth.write(np.ascontiguousarray(depth.values).data)
        matrix = photo_to_view(Camera.of_photo(image), camera, self.size.aspect)
        back = np.linalg.inv(matrix[:, :3])
        set_uniforms(self._program, back=back, pull=tuple(back @ matrix[:, 3]))
        self._context.disable(self._context.BLEND | self._context.DEPTH_TEST | self._context.CULL_FACE)
        self._picture.use(0)
        self._depth.use(1)
        self._target.use()
        self._array.render(vertices=3)
        raw = self._target.read(components=3, alignment=1, dtype=self._kind)
        pixels = np.frombuffer(raw, np.uint16 if deep else np.uint8)
        return Image(pixels.reshape(self.size.height, self.size.width, 3))

    def release(self) -> None:
        """Free the GPU memory."""
        self._free()
        for thing in (self._depth, self._array, self._program):
            thing.release()

    def _prepare(self, kind: str) -> None:
        if kind == self._kind:
            return
        self._free()
        self._picture = self._context.texture(tuple(self.size), 3, dtype=kind, alignment=1)
        self._picture.repeat_x = self._picture.repeat_y = False
        self._target = self._context.framebuffer([self._context.texture(tuple(self.size), 4, dtype=kind)])
        self._kind = kind

    def _free(self) -> None:
        if self._target is not None:
            for thing in (self._picture, *self._target.color_attachments, self._target):
                thing.release()
