"""Base of the screen-space renderers: one full-screen pass from textures of a picture into one framebuffer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import ContextError, InvalidInput
from depth3d.image import Image, Size
from depth3d.render.context import get_context, on_render_thread
from depth3d.render.shaders import make_program, set_uniforms
from depth3d.render.upload import GL_SRGB8, GL_SRGB8_ALPHA8

__all__ = ["ScreenSpaceRenderer"]

GL_FRAMEBUFFER_SRGB = 0x8DB9


class ScreenSpaceRenderer:
    """Textures, program and framebuffer of a renderer without a mesh. May be used from any thread; a context manager.

    Pictures of 8 bits are drawn in 8 bits, pictures of 16 bits in 16 (HDR).

    Parameters
    ----------
    size : Size
        Size of the input pictures in pixels.
    drawn : Size
        Size of the result in pixels.
    shaders : tuple[str, str]
        Vertex and fragment shader, paths in the shaders folder. The fragment shader reads the picture from the
        sampler ``picture``.
    defines : Mapping[str, object] | None
        Switches for both shaders.
    linear_light : bool
        Filter and draw in linear light, with mipmaps (8 bits only); default: coded values as they are.

    Raises
    ------
    ContextError
        If ``size`` or ``drawn`` exceeds the GPU's largest texture.
    """

    @on_render_thread
    def __init__(
        self,
        size: Size,
        drawn: Size,
        shaders: tuple[str, str],
        defines: Mapping[str, object] | None = None,
        *,
        linear_light: bool = False,
    ) -> None:
        self.size, self.drawn = size, drawn
        self._context = get_context()
        largest = int(self._context.info["GL_MAX_TEXTURE_SIZE"])
        if max(*size, *drawn) > largest:
            raise ContextError(
                f"{type(self).__name__}: rendering {size} to {drawn} exceeds the largest texture of this GPU"
                f" ({largest} pixels a side); use a smaller `size`"
            )
        self._program = make_program(self._context, *shaders, defines)
        set_uniforms(self._program, picture=0)
        self._array = self._context.vertex_array(self._program, [])
        self._linear_light = linear_light
        self._data: list[Any] = []
        self._picture: Any = None
        self._target: Any = None
        self._kind = ""

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    @on_render_thread
    def release(self) -> None:
        """Free the GPU memory."""
        self._free_pictures()
        for thing in (*self._data, self._array, self._program):
            thing.release()

    def _data_texture(self, size: Size, components: int) -> Any:
        """A float32 texture that lives as long as the renderer; clamped at its border."""
        texture = self._context.texture(tuple(size), components, dtype="f4")
        texture.repeat_x = texture.repeat_y = False
        self._data.append(texture)
        return texture

    def _check(self, image: Image, depth: DepthMap) -> None:
        if image.size != self.size or depth.size != self.size:
            name = type(self).__name__
            raise InvalidInput(f"{name}: image {image.size}, depth {depth.size}; expected both {self.size}")

    def _load(self, image: Image) -> None:
        """Write the picture to its texture; texture and framebuffer are made anew when the bit depth changes."""
        image = image.eight_bit() if self._linear_light else image
        self._prepare("nu2" if image.pixels.dtype == np.uint16 else "f1")
        pixels = np.ascontiguousarray(image.pixels)
        # Four bytes a texel, as the software renderer keeps them: it packs three in ten times the time.
        self._picture.write(
            (cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA) if self._picture.components == 4 else pixels).data
        )
        if self._linear_light:
            self._picture.build_mipmaps()

    def _draw(self, *data: Any, box: tuple[int, int, int, int] | None = None) -> NDArray[Any]:
        """Draw and read back (H, W, 3) of ``box`` (left, top, width, height; default all); ``data``: textures of units
        1, 2 ...
        """
        box = box or (0, 0, *self.drawn)
        self._render(data, box)
        return self._read(box)

    def _render(self, data: tuple[Any, ...], box: tuple[int, int, int, int]) -> None:
        context = self._context
        context.disable(context.BLEND | context.DEPTH_TEST | context.CULL_FACE)
        for unit, texture in enumerate((self._picture, *data)):
            texture.use(unit)
        self._target.viewport = box
        self._target.use()
        if self._linear_light:
            context.enable_direct(GL_FRAMEBUFFER_SRGB)
        self._array.render(vertices=3)
        if self._linear_light:
            context.disable_direct(GL_FRAMEBUFFER_SRGB)

    def _read(self, box: tuple[int, int, int, int]) -> NDArray[Any]:
        # As the framebuffer holds it: OpenCV drops the alpha in a third of the time of software OpenGL.
        pixels = np.empty((box[3], box[2], 4), np.uint16 if self._kind == "nu2" else np.uint8)
        self._target.read_into(pixels, viewport=box, components=4, alignment=1, dtype=self._kind)
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB))

    def _prepare(self, kind: str) -> None:
        if kind == self._kind:
            return
        self._free_pictures()
        context, source, coded = self._context, {}, {}
        if self._linear_light:
            source, coded = {"internal_format": GL_SRGB8}, {"internal_format": GL_SRGB8_ALPHA8}
        channels = 4 if kind == "f1" and not self._linear_light else 3
        self._picture = context.texture(tuple(self.size), channels, dtype=kind, alignment=1, **source)
        self._picture.repeat_x = self._picture.repeat_y = False
        # The default for 16 bits is the nearest texel.
        self._picture.filter = context.LINEAR, context.LINEAR
        if self._linear_light:
            self._picture.filter = context.LINEAR_MIPMAP_LINEAR, context.LINEAR
        self._target = context.framebuffer([context.texture(tuple(self.drawn), 4, dtype=kind, **coded)])
        self._kind = kind

    def _free_pictures(self) -> None:
        if self._target is not None:
            for thing in (self._picture, *self._target.color_attachments, self._target):
                thing.release()
