"""Projects flat pictures onto the sphere for VR180 and VR photos (equirectangular projection)."""

from __future__ import annotations

import math

import numpy as np

from depth3d.errors import InvalidInput
from depth3d.image import Image, Size
from depth3d.render.context import on_render_thread
from depth3d.render.shaders import set_uniforms
from depth3d.render.warp.base import ScreenSpaceRenderer

__all__ = ["SphereProjector", "to_sphere"]


def to_sphere(image: Image, size: Size, *, span: tuple[float, float], across: float) -> Image:
    """Project a flat picture onto the sphere around the viewer; directions it does not cover are black.

    Raises ``InvalidInput`` for angles out of range.

    Parameters
    ----------
    image : Image
        8 or 16 bits; the result has 8.
    size : Size
        Of the result in pixels.
    span : tuple[float, float]
        Degrees that the result covers across and down: (180, 180) for VR180.
    across : float
        Degrees that the picture covers across, 1 to 179.
    """
    with SphereProjector(image.size, size, span=span, across=across) as projector:
        picture: Image = projector.project(image)
        return picture


class SphereProjector(ScreenSpaceRenderer):
    """Projects many pictures of one size, such as the frames of a clip, onto the sphere.

    Parameters
    ----------
    source : Size
        Size of the flat pictures.
    size : Size
        Size of the results.
    span : tuple[float, float]
        Degrees that a result covers across (0 to 360) and down (0 to 180).
    across : float
        Degrees that a flat picture covers across, 1 to 179.
    """

    @on_render_thread
    def __init__(self, source: Size, size: Size, *, span: tuple[float, float], across: float) -> None:
        if not (0 < span[0] <= 360 and 0 < span[1] <= 180 and 1 <= across < 179):
            raise InvalidInput(f"to_sphere: span {span}, picture {across} degrees; expected 0..360, 0..180 and 1..179")
        # In linear light; mipmaps keep places where the sphere is coarser than the picture from flickering.
        super().__init__(source, size, ("warp/sphere.vert.glsl", "warp/sphere.frag.glsl"), linear_light=True)
        half = math.tan(math.radians(across) / 2)
        set_uniforms(self._program, span=np.radians(np.array(span)), half_size=np.array((half, half / source.aspect)))

    @on_render_thread
    def project(self, image: Image) -> Image:
        """Project one picture of size ``source``; the result has 8 bits."""
        self._load(image)
        return Image(self._draw())
