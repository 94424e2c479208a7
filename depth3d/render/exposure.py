"""Averages many views in linear light into one picture (depth of field, motion blur), and adds vignetting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

from depth3d.camera import Camera
from depth3d.errors import InvalidInput
from depth3d.image import Image, Size
from depth3d.render.context import get_context, on_render_thread
from depth3d.render.renderer import GL_FRAMEBUFFER_SRGB
from depth3d.render.shaders import make_program, set_uniforms

__all__ = ["Exposure", "ViewRenderer"]


class ViewRenderer(Protocol):
    """Protocol: draws views of what it has loaded; ``coded``: its framebuffer holds coded values, not sRGB."""

    size: Size
    coded: bool

    @property
    def target(self) -> Any:
        """The framebuffer that ``render`` draws into."""
        ...

    def render(self, camera: Camera) -> None:
        """Draw into the framebuffer without reading it back."""
        ...

    def read(self) -> Image:
        """Return the picture in the framebuffer."""
        ...


class Exposure:
    """Averages views drawn by ``renderer``; a context manager that frees its own GPU memory, not the renderer's.

    Parameters
    ----------
    renderer : ViewRenderer
        A renderer whose mesh or frame is loaded.
    vignette : float
        Percent of the light that the corners lose, 0 to 95.
    """

    @on_render_thread
    def __init__(self, renderer: ViewRenderer, vignette: float = 0.0) -> None:
        self._renderer = renderer
        self._context = get_context()
        self._add, self._develop = (
            make_program(
                self._context,
                "compose.vert.glsl",
                "exposure.frag.glsl",
                {"DEVELOP": develop, "CODED": renderer.coded},
            )
            for develop in (False, True)
        )
        falloff = 1 / math.sqrt(1 - vignette / 100) - 1
        set_uniforms(self._add, picture=0)
        set_uniforms(self._develop, picture=0, falloff=falloff, size=tuple(renderer.size))
        self._triangles = [self._context.vertex_array(program, []) for program in (self._add, self._develop)]
        # 32 bits: with 16 bits the sum of a hundred bright views would lose dark values.
        self._sum = self._context.framebuffer([self._context.texture(tuple(renderer.size), 4, dtype="f4")])

    def __enter__(self) -> Exposure:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    @on_render_thread
    def draw(self, cameras: Sequence[Camera]) -> Image:
        """Return the mean, in linear light, of the views of all cameras.

        Raises ``InvalidInput`` if there is no camera.
        """
        if not cameras:
            raise InvalidInput("Exposure.draw: no cameras, expected at least one")
        context = self._context
        self._sum.clear()
        for camera in cameras:
            self._renderer.render(camera)
            self._sum.use()
            context.enable_only(context.BLEND)
            context.blend_func = context.ONE, context.ONE
            self._renderer.target.color_attachments[0].use(0)
            self._triangles[0].render(vertices=3)
        self._renderer.target.use()
        context.enable_only(context.NOTHING)
        if not self._renderer.coded:
            context.enable_direct(GL_FRAMEBUFFER_SRGB)
        set_uniforms(self._develop, share=1 / len(cameras))
        self._sum.color_attachments[0].use(0)
        self._triangles[1].render(vertices=3)
        context.disable_direct(GL_FRAMEBUFFER_SRGB)
        return self._renderer.read()

    @on_render_thread
    def release(self) -> None:
        """Free the GPU memory."""
        for thing in (*self._triangles, *self._sum.color_attachments, self._sum, self._add, self._develop):
            thing.release()
