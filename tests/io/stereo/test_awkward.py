"""The stereo files of tests/data/awkward, which cameras and programs leave in several states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stereoscenes import scene_pair

from depth3d.errors import ReadError
from depth3d.io.stereo.detect import find_pair, read_stereo

FOLDER = Path(__file__).parents[2] / "data" / "awkward"


# pair_wrong_offset: the second picture is there, only its offset in the index is wrong.
@pytest.mark.parametrize("name", ["pair.mpo", "pair_wrong_offset.mpo", "crossed.jps"])
def test_both_eyes_are_read(name: str) -> None:
    found, drawn = read_stereo(FOLDER / name), scene_pair(240, 160)
    # In gray: JPEG halves the resolution of the scene's colored noise.
    for mine, theirs, other in ((found.left, drawn.left, drawn.right), (found.right, drawn.right, drawn.left)):
        gray, wanted, wrong = (eye.pixels.mean(axis=2) for eye in (mine, theirs, other))
        assert np.abs(gray - wanted).mean() < 6
        assert np.abs(gray - wrong).mean() > 12


def test_views_of_two_sizes_are_refused_in_one_line() -> None:
    with pytest.raises(ReadError, match=r"two_sizes\.mpo: .*different sizes") as caught:
        read_stereo(FOLDER / "two_sizes.mpo")
    assert "\n" not in str(caught.value)


def test_a_preview_in_a_jpeg_is_no_second_eye() -> None:
    """The index of the file does not say that its second picture is another view."""
    assert find_pair(FOLDER / "pair_named.jpg") is None
