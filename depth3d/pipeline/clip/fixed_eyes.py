"""Correct both eyes of a stereo clip, shot by shot, and arrange them in a layout."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.frames import Frame
from depth3d.image import Image, Size
from depth3d.io.stereo.layouts import EyeLayout
from depth3d.options import StereoOptions
from depth3d.pipeline.clip.bars import Bars
from depth3d.pipeline.clip.eyes import unpack_eyes
from depth3d.pipeline.clip.letterbox import bordered
from depth3d.pipeline.clip.own_eyes import EyesComposer
from depth3d.pipeline.clip.renderers import StereoRenderer, StereoStrength
from depth3d.pipeline.fix.correction import Correction, View
from depth3d.stereoformats import StereoFormat, find_format
from depth3d.stereopair import StereoPair

__all__ = ["FixedEyesRenderer", "ShotCorrection"]


@dataclass(frozen=True, slots=True)
class ShotCorrection:
    """Correction of the frames from ``start``, seconds of the clip, to the start of the next shot."""

    start: Fraction
    correction: Correction


class FixedEyesRenderer:
    """Corrects both eyes of every frame by the correction of its shot.

    The part that both eyes have under all corrections is enlarged to the size of the eyes, so that cuts do not show.

    Parameters
    ----------
    size : Size
        Size of one eye, px.
    eyes : EyeLayout
        Layout of the eyes in the source.
    layout : StereoFormat
        Layout of the output.
    shots : Sequence[ShotCorrection]
        By time; the first one starts at or before the first frame.
    bars : Bars
        Black bars that are drawn around both eyes, px in addition to ``size``.
    """

    both_eyes = True

    def __init__(
        self, size: Size, eyes: EyeLayout, layout: StereoFormat, shots: Sequence[ShotCorrection], bars: Bars
    ) -> None:
        self._eye, self._eyes, self._shots = size, eyes, shots
        self._starts = [shot.start for shot in shots]
        self._view = View.common((shot.correction for shot in shots), size, zoom=True)
        self._bars = bars
        whole = Size(size.width + bars.left + bars.right, size.height + bars.top + bars.bottom)
        self._composer = EyesComposer(whole, layout)
        self.size = self._composer.size
        options = StereoOptions(eyes="right")
        self._drawn = StereoRenderer(size, options, find_format("sbs")) if self.needs_depth else None

    @property
    def needs_depth(self) -> bool:
        """Whether the right eye of a shot is rendered anew from the depth of the left one."""
        return any(shot.correction.parallax is not None for shot in self._shots)

    def __enter__(self) -> FixedEyesRenderer:
        self._composer.__enter__()
        if self._drawn is not None:
            self._drawn.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._drawn is not None:
            self._drawn.__exit__(*exception)
        self._composer.__exit__(*exception)

    def correct(self, pair: StereoPair, time: Fraction) -> StereoPair:
        """Return the corrected eyes of the frame at ``time``; a right eye to be rendered is left as it is."""
        return self._at(time).apply(pair, self._view)

    def prepare(self, frame: Frame, depth: DepthMap, strength: StereoStrength) -> Any:
        """Correct both eyes, or prepare the left one and its depth for a new right one."""
        correction, pair = self._at(frame.time), unpack_eyes(frame.image, self._eyes, self._eye)
        if correction.parallax is None or self._drawn is None:
            return correction.apply(pair, self._view)
        left = Frame(frame.index, frame.time, (pair.swapped() if correction.swap else pair).left)
        return correction, self._drawn.prepare(left, depth, StereoStrength(*correction.parallax))

    def draw(self, prepared: Any) -> Image:
        """Return both eyes in the layout."""
        if isinstance(prepared, StereoPair):
            return self._compose(prepared)
        correction, drawable = prepared
        assert self._drawn is not None
        left, right = (Image(half) for half in np.split(self._drawn.draw(drawable).pixels, 2, axis=1))
        identity, shown = np.eye(3), self._view
        pair = StereoPair(shown.cut(left, identity), shown.cut(right, identity))
        return self._compose(correction.masked(pair))

    def _compose(self, pair: StereoPair) -> Image:
        return self._composer.compose(StereoPair(bordered(pair.left, self._bars), bordered(pair.right, self._bars)))

    def _at(self, time: Fraction) -> Correction:
        return self._shots[max(0, bisect_right(self._starts, time) - 1)].correction
