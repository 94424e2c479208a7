"""Small clips with black bars, and their conversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from clips import write_clip

from depth3d.image import Size
from depth3d.io.video.reader import VideoReader
from depth3d.options import DepthOptions, OutputOptions, VideoOptions
from depth3d.pipeline.clip.bars import Bars
from depth3d.pipeline.clip.convert import convert

WIDTH, HEIGHT = 96, 72
DEPTH = DepthOptions(model="gradient", threads=1)
LETTER, PILLAR = Bars(top=10, bottom=10), Bars(left=12, right=12)


def scene(seed: int, number: int, dark: bool = False) -> np.ndarray:
    dice = np.random.default_rng(seed)
    pixels = dice.integers(60, 255, (9, 12, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    pixels[30:44, 20 + number : 36 + number] = (250, 220, 40)
    if dark:  # a lamp in the night: black up to far from the borders
        lamp = np.zeros_like(pixels)
        lamp[30:44, 20 + number : 36 + number] = 200
        return lamp
    return pixels


def barred(pixels: np.ndarray, bars: Bars) -> np.ndarray:
    made = np.zeros_like(pixels)
    inside = bars.inside(Size(WIDTH, HEIGHT))
    made[inside] = pixels[inside]
    return made


def write(path: Path, pictures: list[np.ndarray]) -> Path:
    return write_clip(path, pictures, rate=10)


def frames_of(path: Path) -> list[np.ndarray]:
    with VideoReader(path) as reader:
        return [frame.image.pixels for frame in reader]


def made(source: Path, target: Path, **more: Any) -> list[np.ndarray]:
    video = VideoOptions(codec="ffv1", crop_bars=more.pop("crop", False))
    more.setdefault("depth", DEPTH)
    return frames_of(convert(source, target, video=video, output_options=OutputOptions(force=True), **more))
