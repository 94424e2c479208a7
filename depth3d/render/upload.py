"""Uploads numpy data to the GPU: textures, and the layers of a mesh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import ContextError
from depth3d.image import Image, Size
from depth3d.layeredmesh import Layer

__all__ = ["GpuLayer", "make_target", "make_texture", "upload_layer"]

GL_SRGB8 = 0x8C41
GL_SRGB8_ALPHA8 = 0x8C43


@dataclass(frozen=True, slots=True)
class GpuLayer:
    """A layer on the GPU; its index buffer lists the opaque triangles first, then those with translucent texels.

    Parameters
    ----------
    vertices : Any
        A vertex array.
    texture : Any
        The layer's colors.
    buffers : tuple[Any, ...]
        Other GPU objects to free.
    solid, translucent : int
        Number of opaque and of translucent triangles.
    """

    vertices: Any
    texture: Any
    buffers: tuple[Any, ...]
    solid: int
    translucent: int

    def draw_solid(self) -> None:
        """Draw the opaque triangles."""
        if self.solid:
            self.texture.use(0)
            self.vertices.render(vertices=3 * self.solid)

    def draw_translucent(self) -> None:
        """Draw the translucent triangles of the outlines, blended over the current framebuffer."""
        if self.translucent:
            self.texture.use(0)
            self.vertices.render(vertices=3 * self.translucent, first=3 * self.solid)

    def release(self) -> None:
        """Free the GPU memory."""
        for thing in (self.vertices, self.texture, *self.buffers):
            thing.release()


def make_texture(context: Any, image: Image, *, coded: bool = False, deep: bool = False) -> Any:
    """Upload ``image`` as sRGB (RGBA if it has alpha): sampling gives linear light, filtered in linear light.

    ``coded``: sampling gives the coded values instead. ``deep``: 16 bits stay 16; only with ``coded``.

    Straight alpha becomes premultiplied by the shader, not here. Rows keep their order: texture
    coordinate (0, 0) is the top-left corner.

    Raises ``ContextError`` if the picture is larger than the GPU's largest texture.
    """
    image = image if deep and coded else image.eight_bit()
    _check_size(context, image.size)
    pixels = image.pixels if image.alpha is None else np.dstack([image.pixels, image.alpha])
    channels, form = (3, GL_SRGB8) if image.alpha is None else (4, GL_SRGB8_ALPHA8)
    texture = context.texture(
        tuple(image.size),
        channels,
        np.ascontiguousarray(pixels).data,
        alignment=1,
        dtype="f1" if pixels.dtype == np.uint8 else "nu2",
        internal_format=None if coded else form,
    )
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


def upload_layer(context: Any, program: Any, layer: Layer, *, coded: bool = False, deep: bool = False) -> GpuLayer:
    """Upload one layer's vertices, faces and texture, for the inputs place, depth and uv of ``program``.

    ``coded``: the texture holds coded values; ``deep``: of 16 bits; see ``make_texture``.
    """
    packed = np.empty((len(layer.depth), 5), np.float32)
    packed[:, :2], packed[:, 2], packed[:, 3:] = layer.positions, layer.depth, layer.uv
    # An empty buffer is an error in OpenGL; a layer without faces draws nothing.
    vertices = context.buffer(packed.data) if packed.size else context.buffer(reserve=20)
    clear = _translucent(layer)
    ordered = np.concatenate([layer.faces[~clear], layer.faces[clear]])
    faces = context.buffer(ordered.data) if ordered.size else context.buffer(np.zeros(3, np.uint32).data)
    array = context.vertex_array(program, [(vertices, "2f 1f 2f", "place", "depth", "uv")], index_buffer=faces)
    translucent = int(clear.sum())
    texture = make_texture(context, layer.texture, coded=coded, deep=deep)
    return GpuLayer(array, texture, (vertices, faces), len(ordered) - translucent, translucent)


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
