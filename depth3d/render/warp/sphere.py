"""Flat pictures onto the sphere: VR180 and VR photos, in equirectangular projection."""

from __future__ import annotations

import math

import numpy as np

from depth3d.errors import InvalidInput
from depth3d.image import Image, Size
from depth3d.render.context import get_context
from depth3d.render.readback import read_image
from depth3d.render.shaders import make_program, set_uniforms
from depth3d.render.upload import make_target, make_texture

__all__ = ["SphereProjector", "to_sphere"]

GL_FRAMEBUFFER_SRGB = 0x8DB9


def to_sphere(image: Image, size: Size, *, span: tuple[float, float], across: float) -> Image:
    """Show a flat picture where it stands on the sphere around the viewer; the rest is black.

    Raises ``InvalidInput`` for angles out of range.

    Parameters
    ----------
    size : Size
        Of the result in pixels.
    span : tuple[float, float]
        Degrees that the result covers across and down: (180, 180) for VR180.
    across : float
        Degrees that the picture covers across.
    """
    with SphereProjector(image.size, size, span=span, across=across) as projector:
        return projector.project(image)


class SphereProjector:
    """``to_sphere`` for many pictures of one size: the frames of a clip. Use from one thread."""

    def __init__(self, source: Size, size: Size, *, span: tuple[float, float], across: float) -> None:
        if not (0 < span[0] <= 360 and 0 < span[1] <= 180 and 1 <= across < 179):
            raise InvalidInput(f"to_sphere: span {span}, picture {across} degrees; expected 0..360, 0..180 and 1..179")
        self.size = size
        self._context = get_context()
        self._program = make_program(self._context, "warp/sphere.vert.glsl", "warp/sphere.frag.glsl")
        self._array = self._context.vertex_array(self._program, [])
        self._target = make_target(self._context, size)
        half = math.tan(math.radians(across) / 2)
        half_size = (half, half / source.aspect)
        set_uniforms(self._program, picture=0, span=np.radians(np.array(span)), half_size=np.array(half_size))

    def __enter__(self) -> SphereProjector:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    def project(self, image: Image) -> Image:
        """One picture (8 bits)."""
        import moderngl

        context = self._context
        texture = make_texture(context, image)
        # Where the sphere is coarser than the picture, smaller copies keep it from flickering.
        texture.build_mipmaps()
        texture.filter = moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR
        self._target.use()
        self._target.clear()
        context.enable_direct(GL_FRAMEBUFFER_SRGB)
        context.disable(context.BLEND | context.DEPTH_TEST | context.CULL_FACE)
        texture.use(0)
        self._array.render(vertices=3)
        context.disable_direct(GL_FRAMEBUFFER_SRGB)
        texture.release()
        return read_image(self._target)

    def release(self) -> None:
        """Free the GPU memory."""
        for thing in (*self._target.color_attachments, self._target.depth_attachment, self._target):
            thing.release()
        self._array.release()
        self._program.release()
