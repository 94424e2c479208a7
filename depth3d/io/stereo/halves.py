"""Packed stereo pictures without any tag: their two halves show the same scene."""

from __future__ import annotations

from depth3d.io.image.read import open_image
from depth3d.io.stereo.layouts import seen_layout, unpack_noted
from depth3d.io.stereo.registry import StereoFile

__all__ = ["FORMAT"]

FORMAT = StereoFile(
    "halves",
    "side by side or top-bottom, known from its two halves",
    (),
    lambda photo: seen_layout(open_image(photo)),
    lambda photo, layout: unpack_noted(layout, open_image(photo), "its two halves"),
    order=90,
)
