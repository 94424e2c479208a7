"""Uploads numpy data to the GPU: textures, and the layers of a mesh."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.errors import ContextError
from depth3d.image import Image, Size, srgb_to_linear
from depth3d.layeredmesh import Layer
from depth3d.render.shaders import set_uniforms

__all__ = ["GpuLayer", "make_packed_textures", "make_target", "make_texture", "upload_layer"]

GL_SRGB8 = 0x8C41
GL_SRGB8_ALPHA8 = 0x8C43
# Square root of the linear light of every level, 10 bits; see shaders/lib/light.glsl.
_ROOTS = np.rint(np.sqrt(srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255))) * 1023).astype(np.int32)
_BAND_ROWS = 32


@dataclass(frozen=True, slots=True)
class GpuLayer:
    """A layer on the GPU; its index buffer lists the opaque triangles first, then those with translucent texels.

    Parameters
    ----------
    vertices, faces : Any
        Buffers of vertices and of indices.
    textures : tuple[Any, ...]
        The layer's colors; packed ones may be followed by alpha.
    packed : bool
        Whether they come from ``make_packed_textures``.
    solid, translucent : int
        Number of opaque and of translucent triangles.
    """

    vertices: Any
    faces: Any
    textures: tuple[Any, ...]
    packed: bool
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
        for unit, texture in enumerate(self.textures):
            texture.use(unit)
        if self.packed:
            set_uniforms(program, texel_size=(1 / self.textures[0].width, 1 / self.textures[0].height))
        self._arrays[program.glo].render(vertices=3 * count, first=3 * first)

    def release(self) -> None:
        """Free the GPU memory."""
        for thing in (*self._arrays.values(), *self.textures, self.vertices, self.faces):
            thing.release()


def make_texture(context: Any, image: Image, *, deep: bool = False) -> Any:
    """Upload the coded values of ``image`` (RGBA if it has alpha); filtered bilinearly.

    ``deep``: 16 bits stay 16. Straight alpha becomes premultiplied by the shader, not here. Rows keep their order:
    texture coordinate (0, 0) is the top-left corner.

    Raises ``ContextError`` if the picture is larger than the GPU's largest texture.
    """
    image = image if deep else image.eight_bit()
    pixels = image.pixels if image.alpha is None else np.dstack([image.pixels, image.alpha])
    return _texture(context, pixels)


def make_packed_textures(context: Any, image: Image) -> tuple[Any, ...]:
    """Upload ``image`` for ``shaders/lib/light.glsl``: packed linear light, and another texture of its alpha, if any.

    Raises ``ContextError`` if the picture is larger than the GPU's largest texture.
    """
    image = image.eight_bit()
    pairs = np.empty((*image.pixels.shape[:2], 2), np.int32)
    # In bands that stay in the processor's cache.
    for first in range(0, len(pairs), _BAND_ROWS):
        band = pairs[first : first + _BAND_ROWS]
        planes = cv2.split(image.pixels[first : first + _BAND_ROWS])
        red, green, blue = (
            np.asarray(cv2.LUT(plane, _ROOTS << shift), np.int32)
            for plane, shift in zip(planes, (0, 10, 20), strict=True)
        )
        own = red | green | blue
        band[..., 0], band[:, :-1, 1], band[:, -1, 1] = own, own[:, 1:], own[:, -1]
    packed = _texture(context, pairs)
    if image.alpha is None:
        return (packed,)
    # Floats: llvmpipe filters textures of 8 bits with 8 bits, which shows in the dark.
    return packed, _texture(context, image.alpha[..., None] / np.float32(255))


def _texture(context: Any, texels: NDArray[Any]) -> Any:
    """A texture of (H, W, channels) uint8, uint16, float32 or int32; the last is not filtered."""
    height, width, channels = texels.shape
    _check_size(context, Size(width, height))
    kind = {"uint8": "f1", "uint16": "nu2", "float32": "f4", "int32": "i4"}[texels.dtype.name]
    texture = context.texture((width, height), channels, np.ascontiguousarray(texels).data, alignment=1, dtype=kind)
    # The nearest texel is moderngl's default for all but 8 bits.
    texture.filter = (context.NEAREST if kind == "i4" else context.LINEAR,) * 2
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

    ``coded``: see ``make_texture``, also for ``deep``; else ``make_packed_textures``.
    """
    packed = np.empty((len(layer.depth), 5), np.float32)
    packed[:, :2], packed[:, 2], packed[:, 3:] = layer.positions, layer.depth, layer.uv
    # An empty buffer is an error in OpenGL; a layer without faces draws nothing.
    vertices = context.buffer(packed.data) if packed.size else context.buffer(reserve=20)
    clear = _translucent(layer)
    ordered = np.concatenate([layer.faces[~clear], layer.faces[clear]])
    faces = context.buffer(ordered.data) if ordered.size else context.buffer(np.zeros(3, np.uint32).data)
    translucent = int(clear.sum())
    picture = layer.texture
    textures = (make_texture(context, picture, deep=deep),) if coded else make_packed_textures(context, picture)
    return GpuLayer(vertices, faces, textures, not coded, len(ordered) - translucent, translucent)


def _translucent(layer: Layer) -> NDArray[np.bool_]:
    """(M,) bool: whether a triangle's bounding box contains a translucent texel; computed with a summed-area table."""
    alpha = layer.texture.alpha
    if alpha is None or not layer.faces.size:
        return np.zeros(len(layer.faces), bool)
    height, width = alpha.shape
    clear = (alpha < np.iinfo(alpha.dtype).max).view(np.uint8)
    sums = np.asarray(cv2.integral(clear), np.int32)
    first, second, third = (layer.uv[corner] * np.array([width, height], np.float32) for corner in layer.faces.T)
    # One texel more on each side: the sampler mixes neighbors. Two at a time: over axes of three, NumPy is slow.
    low, high = (how(how(first, second), third) for how in (np.minimum, np.maximum))
    left, top = (np.floor(low) - 1).astype(np.int64).clip(0, (width, height)).T
    right, bottom = (np.ceil(high) + 1).astype(np.int64).clip(0, (width, height)).T
    found: NDArray[np.bool_] = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left] > 0
    return found
