"""From numpy to the GPU: textures, and the layers of a mesh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from depth3d.errors import ContextError
from depth3d.image import Image, Size
from depth3d.layeredmesh import Layer

__all__ = ["GpuLayer", "make_target", "make_texture", "upload_layer"]

GL_SRGB8 = 0x8C41
GL_SRGB8_ALPHA8 = 0x8C43


@dataclass(frozen=True, slots=True)
class GpuLayer:
    """A layer on the GPU: draw with ``vertices.render()`` after ``texture.use(0)``."""

    vertices: Any
    texture: Any
    buffers: tuple[Any, ...]

    def release(self) -> None:
        """Free the GPU memory."""
        for thing in (self.vertices, self.texture, *self.buffers):
            thing.release()


def make_texture(context: Any, image: Image) -> Any:
    """Upload ``image`` as sRGB (RGBA if it has alpha): sampling gives linear light, filtered in linear light.

    Straight alpha becomes premultiplied by the shader, not here. Rows keep their order: texture
    coordinate (0, 0) is the top-left corner.

    Raises ``ContextError`` if the picture is larger than the GPU's largest texture.
    """
    image = image.eight_bit()
    largest = int(context.info["GL_MAX_TEXTURE_SIZE"])
    if max(image.size) > largest:
        raise ContextError(
            f"a picture of {image.size} does not fit this GPU's textures ({largest}); use a smaller size"
        )
    pixels = image.pixels if image.alpha is None else np.dstack([image.pixels, image.alpha])
    channels, form = (3, GL_SRGB8) if image.alpha is None else (4, GL_SRGB8_ALPHA8)
    texture = context.texture(
        tuple(image.size), channels, np.ascontiguousarray(pixels).data, alignment=1, internal_format=form
    )
    texture.repeat_x = texture.repeat_y = False
    return texture


def make_target(context: Any, size: Size) -> Any:
    """A framebuffer of ``size`` with sRGB colour (blending happens in linear light) and depth."""
    colour = context.texture(tuple(size), 4, internal_format=GL_SRGB8_ALPHA8)
    return context.framebuffer([colour], context.depth_renderbuffer(tuple(size)))


def upload_layer(context: Any, program: Any, layer: Layer) -> GpuLayer:
    """Send one layer's vertices, faces and texture to the GPU, for ``program``'s place, depth and uv."""
    packed = np.empty((len(layer.depth), 5), np.float32)
    packed[:, :2], packed[:, 2], packed[:, 3:] = layer.positions, layer.depth, layer.uv
    # An empty buffer is an error in OpenGL; a layer without faces draws nothing.
    vertices = context.buffer(packed.data) if packed.size else context.buffer(reserve=20)
    faces = context.buffer(layer.faces.data) if layer.faces.size else context.buffer(np.zeros(3, np.uint32).data)
    array = context.vertex_array(program, [(vertices, "2f 1f 2f", "place", "depth", "uv")], index_buffer=faces)
    return GpuLayer(array, make_texture(context, layer.texture), (vertices, faces))
