"""Results of repairs: their names beside the source, and what parallel lenses leave at the border."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stereoscenes import scene_pair, texture

import depth3d as d3
from depth3d.errors import InvalidOption
from depth3d.image import Image
from depth3d.io.image.read import save_image
from depth3d.options import FixOptions
from depth3d.pipeline.check.measure import check_pair
from depth3d.pipeline.fix.photo import corrected_photo, plain_stem
from depth3d.stereopair import StereoPair


@pytest.mark.parametrize("suffix", [".mpo", ".jps", ".pns", ".heic", ".vr.jpg"])
def test_the_result_of_each_kind_of_file_has_a_name_of_its_own(tmp_path: Path, suffix: str) -> None:
    """Their names have no layout: the result's differs by ``_fixed``, and is not taken for the source."""
    source = tmp_path / f"old{suffix}"
    pair = scene_pair(320, 240, near=3, far=-2)
    both = save_image(Image(np.hstack([pair.left.pixels, pair.right.pixels])), tmp_path / "made_SBS.png")
    d3.stereo(both, source)
    before = source.read_bytes()
    for _ in range(2):
        report = d3.fix(source, force=True)
        assert [path.name for path in report.paths] == [f"old_fixed{'_spatial' if suffix == '.heic' else ''}{suffix}"]
    assert source.read_bytes() == before
    with pytest.raises(InvalidOption, match="overwrite the photo"):
        d3.fix(source, source, force=True)


def test_the_result_has_one_format() -> None:
    with pytest.raises(InvalidOption, match="the result has one"):
        FixOptions(format="sbs,tb")


@pytest.mark.parametrize(("nearest", "real"), [(-38, True), (-37, False)])
def test_a_scene_far_behind_the_screen_comes_forward_without_repeated_columns(nearest: int, real: bool) -> None:
    """As two parallel lenses take it. 12 % of the columns go, so that 2.8 % of disparity become 3.1 %."""
    wall, square, rows = texture(440, 240, 1), texture(110, 120, 2), slice(60, 180)
    left, right = wall[:, 60:380].copy(), wall[:, 14:334].copy()
    left[rows, 110:220] = right[rows, 110 - nearest : 220 - nearest] = square
    shown, found = corrected_photo(StereoPair(Image(left), Image(right)), FixOptions(floating_window=False))
    assert (found.parallax is None) == real
    after = check_pair(shown)
    assert after.nearest <= 1.0
    assert after.nearest - after.farthest <= 3.05
    for eye in (shown.left.pixels, shown.right.pixels):
        assert np.abs(np.diff(eye[:, -12:].astype(int), axis=1)).mean(axis=(0, 2)).min() > 1  # no streaks
    assert not real or np.array_equal(shown.left.pixels, left[:, : shown.size.width])


@pytest.mark.parametrize("name", ["beach_spatial.heic", "beach_cross.png", "beach_LRF_Full_SBS.mp4", "beach.mpo"])
def test_the_layout_is_named_once(name: str) -> None:
    assert plain_stem(Path(name)).stem == "beach_fixed"
