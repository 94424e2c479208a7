"""Converts a clip in a process of its own, which a test may kill: ``clip_child.py SOURCE TARGET [CODEC]``.

Depth comes from a function instead of a network and no GPU is used, so that a start takes a second: what is
tested is what lies on the disk. Every step is told on standard output.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

import depth3d.depth.estimator
from depth3d.depthmap import Disparity
from depth3d.image import Image, Size
from depth3d.options import DepthOptions, OutputOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip import depth_pass, render_pass


class FunctionOfThePicture:
    """Nearer = lower in the picture and brighter, with a scale that jumps from frame to frame."""

    card = SimpleNamespace(frames=1)  # a network for single pictures

    def predict(self, images: Iterable[Image]) -> list[Disparity]:
        found = []
        for image in images:
            small = image.resized(Size(48, 32)).floats().mean(axis=2)
            jitter = 1 + 0.3 * float(np.sin(1000 * small.mean()))
            found.append(Disparity((jitter * (small * 0.3 + np.linspace(0, 1, 32)[:, None])).astype(np.float32)))
        return found


class Broken(FunctionOfThePicture):
    """Fails at the ninth frame that it gets."""

    seen = 0

    def predict(self, images: Iterable[Image]) -> list[Disparity]:
        images = list(images)
        self.seen += len(images)
        if self.seen > 8:
            raise RuntimeError("out of luck")
        return super().predict(images)


def stand_in(*_: Any, **__: Any) -> FunctionOfThePicture:
    return FunctionOfThePicture()


def main(source: str, target: str, codec: str = "ffv1", parallax: str = "2.0") -> None:
    from depth3d.pipeline.clip.convert import convert

    cv2.setNumThreads(1)
    depth3d.depth.estimator.open_estimator = stand_in  # type: ignore[assignment]
    if codec == "ffv1":
        depth_pass.SEGMENT = render_pass.SEGMENT = 8  # small segments, so that short clips have many
    convert(
        source,
        target,
        stereo=StereoOptions(format="rgbd", parallax=float(parallax)),
        depth=DepthOptions(),
        video=VideoOptions(codec=codec),
        output_options=OutputOptions(force=True),
        progress=lambda stage, done, total: print(stage, done, flush=True),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
