"""Renders clips on a canvas: another renderer draws the eyes, black bars fill up the shape of the screen."""

from __future__ import annotations

from typing import Any

from depth3d.depthmap import DepthMap
from depth3d.frames import Frame
from depth3d.image import Image, Size
from depth3d.pipeline.canvas import canvas_picture
from depth3d.pipeline.clip.renderers import FrameRenderer, StereoStrength
from depth3d.render.compose import composed_size
from depth3d.stereoformats import StereoFormat

__all__ = ["CanvasRenderer"]


class CanvasRenderer:
    """Draw frames with another renderer, each eye amid a larger black canvas.

    Parameters
    ----------
    renderer : FrameRenderer
        Draws both eyes.
    layout : StereoFormat
        How they are arranged.
    canvas : Size
        Size of the canvas of one eye, at least that of the eye.
    """

    def __init__(self, renderer: FrameRenderer, layout: StereoFormat, canvas: Size) -> None:
        self._renderer = renderer
        self.both_eyes = renderer.both_eyes
        self.size = composed_size(canvas, layout)
        self._cells = {"side": (2, 1), "stack": (1, 2)}.get(layout.packing, (1, 1))

    def __enter__(self) -> CanvasRenderer:
        self._renderer.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._renderer.__exit__(*exception)

    def prepare(self, frame: Frame, depth: DepthMap, strength: StereoStrength) -> Any:
        """Prepare the frame; may run in any thread."""
        return self._renderer.prepare(frame, depth, strength)

    def draw(self, prepared: Any) -> Image:
        """Draw both eyes, then the canvas around them."""
        return canvas_picture(self._renderer.draw(prepared), self.size, self._cells)
