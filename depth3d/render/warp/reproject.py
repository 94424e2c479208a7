"""Reprojects frames of a clip to a moving camera without a mesh (``shaders/warp/reproject.frag.glsl``).

The cameras are those of ``render.renderer.Renderer``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from depth3d.camera import FARTHEST_INVERSE, Camera, photo_to_view
from depth3d.depthmap import DepthMap
from depth3d.image import Image, Size
from depth3d.render.context import on_render_thread
from depth3d.render.shaders import set_uniforms
from depth3d.render.warp.base import ScreenSpaceRenderer

__all__ = ["Reprojection"]

DISCONTINUITY_PIXELS = 1.0  # a larger step between neighbors separates two surfaces


class Reprojection(ScreenSpaceRenderer):
    """Renders frames of ``size`` from moved cameras; a context manager.

    Parameters
    ----------
    size : Size
        Size of the frames and of the results.
    """

    coded = True  # the framebuffer holds the frame's own coding

    @on_render_thread
    def __init__(self, size: Size) -> None:
        super().__init__(size, size, ("compose.vert.glsl", "warp/reproject.frag.glsl"))
        inverse_range = (FARTHEST_INVERSE, 1 - FARTHEST_INVERSE)
        set_uniforms(
            self._program, depth=1, size=tuple(size), tolerance=DISCONTINUITY_PIXELS, inverse_range=inverse_range
        )
        self._depth = self._data_texture(size, 1)
        self._photo = Camera()

    @on_render_thread
    def load(self, image: Image, depth: DepthMap) -> None:
        """Upload a frame and its depth; they replace those before.

        Raises ``InvalidInput`` if the picture or the depth has another size.
        """
        self._check(image, depth)
        self._load(image)
        self._depth.write(np.ascontiguousarray(depth.values).data)
        self._photo = Camera.of_photo(image)

    @property
    def target(self) -> Any:
        """The framebuffer; another one after ``load`` of a frame with another bit depth."""
        return self._target

    @on_render_thread
    def render(self, camera: Camera) -> None:
        """Draw the frame into the framebuffer without reading it back."""
        matrix = photo_to_view(self._photo, camera, self.size.aspect)
        back = np.linalg.inv(matrix[:, :3])
        set_uniforms(self._program, back=back, pull=tuple(back @ matrix[:, 3]))
        self._render((self._depth,), (0, 0, *self.drawn))

    @on_render_thread
    def read(self) -> Image:
        """Return the picture in the framebuffer, with the frame's bit depth."""
        return Image(self._read((0, 0, *self.drawn)))

    @on_render_thread
    def draw(self, image: Image, depth: DepthMap, camera: Camera) -> Image:
        """Render the frame from ``camera``; the camera that took the frame is at the origin.

        Raises ``InvalidInput`` if the picture or the depth has another size.
        """
        self.load(image, depth)
        self.render(camera)
        return self.read()
