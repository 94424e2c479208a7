"""Uploads numpy data to the GPU: textures, and the layers of a mesh."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import ContextError
from depth3d.image import Image, Size, srgb_to_linear
from depth3d.layeredmesh import Layer

__all__ = ["GpuLayer", "make_target", "make_texture", "upload_layer"]

GL_SRGB8 = 0x8C41
GL_SRGB8_ALPHA8 = 0x8C43
_LIGHT = np.rint(srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255)) * 65535).astype(np.uint16)


@dataclass(frozen=True, slots=True)
class GpuLayer:
    """A layer on the GPU; its index buffer lists the opaque triangles first, then those with translucent texels.

    Parameters
    ----------
    vertices, faces : Any
        Buffers of vertices and of indices.
    texture : Any
        The layer's colors.
    solid, translucent : int
        Number of opaque and of translucent triangles.
    """

    vertices: Any
    faces: Any
    texture: Any
    solid: int
    translucent: int
    _arrays: dict[int, Any] = field(default_factory=dict)  # vertex arrays by the program they are for

    def draw_solid(self, program: Any) -> None:
        """Draw the opaque triangles."""
        self._draw(program, 0, self.solid)

    def draw_translucent(self, program: Any) -> None:
        """Draw the translucent triangles of the outlines, blended over the current framebuffer."""
        self._draw(program, self.solid, self.translucent)

    def _draw(self, program: Any, first: int, count: int) -> None:
        if not count:
            return
        if program.glo not in self._arrays:
            content = [(self.vertices, "2f 1f 2f", "place", "depth", "uv")]
            self._arrays[program.glo] = program.ctx.vertex_array(program, content, index_buffer=self.faces)
        self.texture.use(0)
        self._arrays[program.glo].render(vertices=3 * count, first=3 * first)

    def release(self) -> None:
        """Free the GPU memory."""
        for thing in (*self._arrays.values(), self.texture, self.vertices, self.faces):
            thing.release()


def make_texture(context: Any, image: Image, *, coded: bool = False, deep: bool = False) -> Any:
    """Upload ``image`` (RGBA if it has alpha): sampling gives linear light, filtered in linear light.

    ``coded``: sampling gives the coded values instead. ``deep``: 16 bits stay 16; only with ``coded``.

    Straight alpha becomes premultiplied by the shader, not here. Rows keep their order: texture
    coordinate (0, 0) is the top-left corner.

    Raises ``ContextError`` if the picture is larger than the GPU's largest texture.
    """
    image = image if deep and coded else image.eight_bit()
    _check_size(context, image.size)
    # Linear light in 16 bits: software OpenGL decodes sRGB texels slowly, four for every pixel drawn.
    pixels = image.pixels if coded else _LIGHT[image.pixels]
    if image.alpha is not None:
        alpha = image.alpha if coded else image.alpha * np.uint16(257)
        pixels = np.dstack([pixels, alpha])
    texture = context.texture(
        tuple(image.size),
        pixels.shape[2],
        np.ascontiguousarray(pixels).data,
        alignment=1,
        dtype="f1" if pixels.dtype == np.uint8 else "nu2",
    )
    texture.filter = context.LINEAR, context.LINEAR  # moderngl's default for 16 bits is the nearest texel
    texture.repeat_x = texture.repeat_y = False
    return texture


def make_target(context: Any, size: Size, *, deep: bool = False) -> Any:
    """Make a framebuffer of ``size`` with sRGB color (blended in linear light) and depth.

    ``deep``: the color is linear light in floats.

    Raises ``ContextError`` if it is larger than the GPU's largest texture.
    """
    _check_size(context, size)
    kind: dict[str, Any] = {"dtype": "f4"} if deep else {"internal_format": GL_SRGB8_ALPHA8}
    color = context.texture(tuple(size), 4, **kind)
    return context.framebuffer([color], context.depth_renderbuffer(tuple(size)))


def _check_size(context: Any, size: Size) -> None:
    largest = int(context.info["GL_MAX_TEXTURE_SIZE"])
    if max(size) > largest:
        raise ContextError(f"a picture of {size} does not fit this GPU's textures ({largest}); use a smaller size")


def upload_layer(context: Any, layer: Layer, *, coded: bool = False, deep: bool = False) -> GpuLayer:
    """Upload one layer's vertices, faces and texture, for programs with the inputs place, depth and uv.

    ``coded``: the texture holds coded values; ``deep``: of 16 bits; see ``make_texture``.
    """
    packed = np.empty((len(layer.depth), 5), np.float32)
    packed[:, :2], packed[:, 2], packed[:, 3:] = layer.positions, layer.depth, layer.uv
    # An empty buffer is an error in OpenGL; a layer without faces draws nothing.
    vertices = context.buffer(packed.data) if packed.size else context.buffer(reserve=20)
    clear = _translucent(layer)
    ordered = np.concatenate([layer.faces[~clear], layer.faces[clear]])
    faces = context.buffer(ordered.data) if ordered.size else context.buffer(np.zeros(3, np.uint32).data)
    translucent = int(clear.sum())
    texture = make_texture(context, layer.texture, coded=coded, deep=deep)
    return GpuLayer(vertices, faces, texture, len(ordered) - translucent, translucent)


def _translucent(layer: Layer) -> NDArray[np.bool_]:
    """(M,) bool: whether a triangle's bounding box contains a translucent texel; computed with a summed-area table."""
    alpha = layer.texture.alpha
    if alpha is None or not layer.faces.size:
        return np.zeros(len(layer.faces), bool)
    height, width = alpha.shape
    sums = np.zeros((height + 1, width + 1), np.int32)
    sums[1:, 1:] = np.cumsum(np.cumsum(alpha < np.iinfo(alpha.dtype).max, 0, dtype=np.int32), 1, dtype=np.int32)
    corners = layer.uv[layer.faces] * np.array([width, height], np.float32)
    # One texel more on each side: the sampler mixes neighbors.
    left, top = (np.floor(corners.min(1)) - 1).astype(np.int64).clip(0, (width, height)).T
    right, bottom = (np.ceil(corners.max(1)) + 1).astype(np.int64).clip(0, (width, height)).T
    found: NDArray[np.bool_] = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left] > 0
    return found
