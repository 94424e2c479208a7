"""Convert a stereo clip to another layout with its own two eyes."""

from __future__ import annotations

from typing import Any

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.frames import Frame
from depth3d.image import Image, Size
from depth3d.io.stereo.layouts import EyeLayout
from depth3d.pipeline.clip.eyes import unpack_eyes
from depth3d.pipeline.clip.renderers import StereoStrength
from depth3d.stereoformats import StereoFormat
from depth3d.stereopair import StereoPair

__all__ = ["EyesComposer", "OwnEyesRenderer"]


class EyesComposer:
    """Arranges pairs of one size in a layout; full side-by-side and top-bottom copy pixels unchanged.

    Parameters
    ----------
    size : Size
        Size of one eye, px.
    layout : StereoFormat
        Layout of the output.
    """

    def __init__(self, size: Size, layout: StereoFormat) -> None:
        from depth3d.render.compose import composed_size

        self._eye, self._layout = size, layout
        self.size = composed_size(size, layout)
        self._composer: Any = None

    def __enter__(self) -> EyesComposer:
        from depth3d.render.compose import Composer

        if self._layout.half or self._layout.packing not in ("side", "stack"):
            self._composer = Composer(self._eye, self._layout)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._composer is not None:
            self._composer.release()

    def compose(self, pair: StereoPair) -> Image:
        """Return both eyes in the layout."""
        if self._composer is not None:
            composed: Image = self._composer.compose(pair)
            return composed
        eyes = [pair.left.pixels, pair.right.pixels]
        if self._layout.right_first:
            eyes.reverse()
        return Image(np.concatenate(eyes, axis=0 if self._layout.packing == "stack" else 1))


class OwnEyesRenderer:
    """Repacks the two eyes of every frame; needs no depth.

    Parameters
    ----------
    size : Size
        Size of one eye, px.
    eyes : EyeLayout
        Layout of the eyes in the source.
    layout : StereoFormat
        Layout of the output.
    """

    both_eyes = True

    def __init__(self, size: Size, eyes: EyeLayout, layout: StereoFormat) -> None:
        self._eye, self._eyes = size, eyes
        self._composer = EyesComposer(size, layout)
        self.size = self._composer.size

    def __enter__(self) -> OwnEyesRenderer:
        self._composer.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._composer.__exit__(*exception)

    def prepare(self, frame: Frame, depth: DepthMap, strength: StereoStrength) -> Any:
        """Return both eyes of the frame."""
        return unpack_eyes(frame.image, self._eyes, self._eye)

    def draw(self, prepared: Any) -> Image:
        """Return both eyes in the new layout."""
        return self._composer.compose(prepared)
