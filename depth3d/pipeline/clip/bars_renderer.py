"""Renders clips with black bars: the picture inside goes on into the bars, and the bars are drawn black at the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.frames import Frame
from depth3d.image import Image
from depth3d.pipeline.clip.bars import Bars
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.letterbox import bar_mask, filled
from depth3d.pipeline.clip.renderers import FrameRenderer, StereoStrength

__all__ = ["BarsRenderer"]


class BarsRenderer:
    """Draw frames with another renderer, with black bars where the source has them: flat, at the screen.

    Parameters
    ----------
    renderer : FrameRenderer
        Draws the picture.
    job : ClipJob
        The clip, with its bars.
    eyes : str
        How the output arranges two pictures: "side", "stack"; "" = it is one picture, or both in the same place.
    """

    both_eyes = False

    def __init__(self, renderer: FrameRenderer, job: ClipJob, eyes: str) -> None:
        self._renderer, self._job, self._eyes = renderer, job, eyes
        self.size = renderer.size

    def __enter__(self) -> BarsRenderer:
        self._renderer.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._renderer.__exit__(*exception)

    def prepare(self, frame: Frame, depth: DepthMap, strength: StereoStrength) -> Any:
        """Mirror the picture into its bars, then prepare it."""
        bars = self._job.bars_at(frame.time)
        if any(bars) and self._job.depth.depth is not None:  # given depth may have another value in the bars
            inside = depth.values[bars.scaled(self._job.info.size, depth.size).inside(depth.size)]
            depth = DepthMap(self._job.whole(np.ascontiguousarray(inside), frame.time))
        seen = None if frame.seen is None else filled(frame.seen, bars)
        shown = replace(frame, image=filled(frame.image, bars), seen=seen)
        if any(strength.window):  # its bars begin where the picture does
            percent = 100 / self._job.info.size.width
            left, right = strength.window
            strength = replace(strength, window=(left + bars.left * percent, right + bars.right * percent))
        return bars, self._renderer.prepare(shown, depth, strength)

    def draw(self, prepared: tuple[Bars, Any]) -> Image:
        """Draw the picture, then its bars."""
        bars, item = prepared
        drawn = self._renderer.draw(item)
        if not any(bars):
            return drawn
        mask = bar_mask(bars, self._job.info.size)
        if self._eyes:
            mask = np.concatenate([mask, mask], axis=1 if self._eyes == "side" else 0)
        height, width = drawn.pixels.shape[:2]
        rows = np.arange(height) * mask.shape[0] // height
        columns = np.arange(width) * mask.shape[1] // width
        pixels = drawn.pixels.copy()
        pixels[mask[rows[:, None], columns]] = 0
        return Image(pixels)
