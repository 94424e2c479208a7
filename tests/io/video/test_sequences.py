"""Image sequences: numbers that start anywhere and have gaps."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import picture
from PIL import Image as Pillow

from depth3d.errors import ReadError
from depth3d.io.video.reader import VideoReader


def written(folder: Path, numbers: list[int], name: str = "s_{:04d}.png") -> None:
    for number in numbers:
        Pillow.fromarray(picture(number % 50)).save(folder / name.format(number))


@pytest.mark.parametrize("pattern", ["s_%04d.png", "s_%d.png"])
def test_numbers_start_anywhere(tmp_path: Path, pattern: str) -> None:
    name = "s_{:04d}.png" if "04" in pattern else "s_{}.png"
    written(tmp_path, list(range(1001, 1008)), name)
    with VideoReader(tmp_path / pattern) as reader:
        frames = list(reader)
        assert reader.info.notes == ()
    assert [frame.time for frame in frames] == [Fraction(n, 25) for n in range(7)]


def test_a_picture_before_a_gap_is_held_and_the_gap_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "a [b]"
    folder.mkdir()
    numbers = [*range(10, 14), 16, *range(30, 34)]
    written(folder, numbers, "100%_{:04d}.png")
    written(folder, [1, 2], "100%_{:04d}.png.bak.png")
    with VideoReader(folder / "100%%_%04d.png", sequence_rate=Fraction(24000, 1001)) as reader:
        frames = list(reader)
        info = reader.info
        again = next(reader.frames(5, frames[5].time))
    assert [frame.time for frame in frames] == [(n - 10) * Fraction(1001, 24000) for n in numbers]
    assert all(np.array_equal(f.image.pixels, picture(n)) for f, n in zip(frames, numbers, strict=True))
    assert np.array_equal(again.image.pixels, picture(30))
    assert info.duration == 24 * Fraction(1001, 24000)
    assert info.notes == ("15 pictures between 10 and 33 are missing: the one before is held",)


def test_gaps_without_leading_zeros_are_refused(tmp_path: Path) -> None:
    written(tmp_path, [8, 9, 11], "s_{}.png")
    with pytest.raises(ReadError, match="leading zeros"):
        VideoReader(tmp_path / "s_%d.png")
