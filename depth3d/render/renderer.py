"""Renders a layered mesh from a camera."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.camera import FARTHEST_INVERSE, Camera, photo_to_view
from depth3d.errors import InvalidInput
from depth3d.image import Image, Size
from depth3d.layeredmesh import LayeredMesh
from depth3d.render.context import get_context, on_render_thread
from depth3d.render.readback import read_image, read_light
from depth3d.render.shaders import make_program, set_uniforms
from depth3d.render.upload import GpuLayer, make_target, upload_layer

__all__ = ["Renderer"]

GL_FRAMEBUFFER_SRGB = 0x8DB9


class Renderer:
    """Draws pictures of ``size``. May be used from any thread; a context manager that frees the GPU memory.

    >>> with Renderer(Size(1280, 720)) as renderer:          # doctest: +SKIP
    ...     renderer.upload(mesh)
    ...     picture = renderer.draw(camera)

    Parameters
    ----------
    size : Size
        Size of the pictures drawn, px.
    crisp : bool
        Read the texture bicubically: for stills; keeps more fine detail at 2 to 3 times the drawing time.
    deep : bool
        Draw pictures of 16 bits; only with ``crisp``.
    """

    coded = False  # the framebuffer is sRGB

    @on_render_thread
    def __init__(self, size: Size, *, crisp: bool = False, deep: bool = False) -> None:
        if min(size) < 1:
            raise InvalidInput(f"Renderer: size is {size}, expected at least 1x1")
        self.size = size
        self._context = get_context()
        self._crisp, self._deep = crisp, deep
        self._programs: dict[tuple[bool, bool], Any] = {}  # by opaque, with depth
        self.target = make_target(self._context, size, deep=deep)
        self._layers: list[GpuLayer] = []
        self._photo: tuple[Camera, Size] | None = None  # of the mesh, whose arrays are not kept

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    @on_render_thread
    def upload(self, mesh: LayeredMesh) -> None:
        """Upload ``mesh`` to the GPU; it replaces the previous mesh."""
        self._free_layers()
        self._photo = mesh.camera, mesh.size
        kind = {"coded": self._crisp, "deep": self._deep}
        self._layers = [upload_layer(self._context, layer, **kind) for layer in mesh.layers]

    @on_render_thread
    def draw_with_depth(self, camera: Camera, first_row: int | None = None) -> tuple[Image, NDArray[np.float32]]:
        """Render the mesh from ``camera``, with the visible depth at every pixel.

        Returns the picture and (H, W) float32 normalized inverse depth, NaN where the mesh has a hole.

        Parameters
        ----------
        camera : Camera
            The camera.
        first_row : int | None
            Draw a band of a larger picture, from this row on: the whole has the size of the mesh's photo. None: the
            whole picture at this renderer's size.
        """
        context = self._context
        depth = context.texture(tuple(self.size), 1, dtype="f4")
        target = context.framebuffer([self.target.color_attachments[0], depth], self.target.depth_attachment)
        try:
            if first_row is not None and self._photo is not None:
                target.viewport = (0, -first_row, *self._photo[1])
            target.use()
            target.clear(red=-1.0)
            self._draw_layers(camera, with_depth=True)
            seen = np.frombuffer(target.read(components=1, attachment=1, dtype="f4"), np.float32)
            seen = np.where(seen < -0.5, np.float32(np.nan), seen)
            return self._read(target), seen.reshape(self.size.height, self.size.width)
        finally:
            target.release()
            depth.release()

    @on_render_thread
    def draw(self, camera: Camera) -> Image:
        """Render the mesh from ``camera`` as a picture of 8 bits (``deep``: 16).

        Raises ``InvalidInput`` if no mesh was uploaded.
        """
        self.render(camera)
        return self.read()

    @on_render_thread
    def read(self) -> Image:
        """Return the picture in the framebuffer, 8 bits (``deep``: 16)."""
        return self._read(self.target)

    def _read(self, target: Any) -> Image:
        return read_light(target) if self._deep else read_image(target)

    @on_render_thread
    def render(self, camera: Camera) -> None:
        """Draw into the framebuffer without reading it back."""
        self.target.use()
        self.target.clear()
        self._draw_layers(camera)

    def _draw_layers(self, camera: Camera, *, with_depth: bool = False) -> None:
        if self._photo is None:
            raise InvalidInput("Renderer.draw: no mesh yet; call upload(mesh) first")
        context = self._context
        photo, size = self._photo
        matrix = photo_to_view(photo, camera, size.aspect)
        solid, translucent = (self._program(opaque, with_depth) for opaque in (True, False))
        for program in (solid, translucent):
            set_uniforms(program, photo_to_view=matrix, inverse_range=(FARTHEST_INVERSE, 1 - FARTHEST_INVERSE))
        context.enable_only(context.DEPTH_TEST)
        context.depth_func = "<"
        # Near to far, so that hidden pixels are never shaded. Translucent outlines are drawn last, over the rest.
        for layer in reversed(self._layers):
            layer.draw_solid(solid)
        context.enable_direct(GL_FRAMEBUFFER_SRGB)
        # At equal depth the front layer is visible, whether it was drawn first or last.
        context.depth_func = "<="
        context.enable(context.BLEND)
        context.blend_func = context.ONE, context.ONE_MINUS_SRC_ALPHA
        for layer in self._layers:
            layer.draw_translucent(translucent)
        context.depth_func = "<"
        context.disable_direct(GL_FRAMEBUFFER_SRGB)

    def _program(self, opaque: bool, with_depth: bool) -> Any:
        if (opaque, with_depth) not in self._programs:
            defines = {"BICUBIC": self._crisp, "LIGHT": self._deep, "OPAQUE": opaque, "WITH_DEPTH": with_depth}
            program = make_program(self._context, "mesh.vert.glsl", "mesh.frag.glsl", defines)
            set_uniforms(program, picture=0, **({} if self._crisp or opaque else {"coverage": 1}))
            self._programs[opaque, with_depth] = program
        return self._programs[opaque, with_depth]

    @on_render_thread
    def release(self) -> None:
        """Free the GPU memory. The context stays: the process has only one."""
        self._free_layers()
        target = self.target
        for thing in (*target.color_attachments, target.depth_attachment, target, *self._programs.values()):
            thing.release()

    def _free_layers(self) -> None:
        for layer in self._layers:
            layer.release()
        self._layers = []
