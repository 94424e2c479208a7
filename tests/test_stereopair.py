from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depth3d.anaglyphs import ANAGLYPHS
from depth3d.errors import InvalidInput
from depth3d.image import Image, Size
from depth3d.stereoformats import FORMATS, find_format, find_formats
from depth3d.stereopair import StereoPair, StereoRig, Viewing, unpack


def picture(width: int, height: int, seed: int = 0) -> Image:
    return Image(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_a_pair_has_one_size() -> None:
    with pytest.raises(InvalidInput, match="left is 4x3, right is 5x3"):
        StereoPair(picture(4, 3), picture(5, 3))
    pair = StereoPair(picture(4, 3), picture(4, 3, 1))
    assert pair.swapped().left is pair.right
    assert pair.size == Size(4, 3)


@given(st.floats(0, 50), st.floats(0, 1))
def test_disparities_in_front_and_behind_sum_to_the_parallax(parallax: float, convergence: float) -> None:
    rig = StereoRig(parallax, convergence)
    assert rig.crossed + rig.uncrossed == pytest.approx(parallax)
    assert min(rig.crossed, rig.uncrossed) >= 0


def test_defaults_are_within_comfort() -> None:
    assert StereoRig().warnings() == ()


def test_louder_than_comfortable_is_told() -> None:
    assert len(StereoRig(3.0, 0.5).warnings()) == 1  # 1.5 % in front
    assert len(StereoRig(4.0, 0.9).warnings()) == 1  # 4 % in total
    assert len(StereoRig(4.0, 0.0).warnings()) == 2
    cinema = Viewing(width_meters=12.0, distance_meters=15.0)
    assert any("own distance" in line for line in StereoRig(2.0, 0.5).warnings(cinema))  # 120 mm


@pytest.mark.parametrize("wrong", [{"parallax": -1}, {"parallax": 51}, {"convergence": 1.1}, {"eyes": "none"}])
def test_a_wrong_rig_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        StereoRig(**wrong)  # type: ignore[arg-type]


def test_arc_minutes_of_a_known_screen() -> None:
    viewing = Viewing.parse("55in", "2.5m")
    width = 55 * 0.0254 * 16 / math.hypot(16, 9)
    assert viewing.width_meters == pytest.approx(width)
    # One percent of 1.2176 m at 2.5 m: 12.176 mm / 2500 mm = 16.74 arc-minutes.
    assert viewing.arc_minutes(1.0) == pytest.approx(16.74, abs=0.01)
    assert viewing.percent(viewing.arc_minutes(1.7)) == pytest.approx(1.7)
    assert Viewing.parse("140cm", "250cm").distance_meters == 2.5


def test_a_tall_picture_is_narrower_on_the_same_screen() -> None:
    tall, wide = Viewing.parse("55in", "2.5m", aspect=0.75), Viewing.parse("55in", "2.5m", aspect=16 / 9)
    assert tall.width_meters == pytest.approx(wide.width_meters * 0.75 * 9 / 16)


@pytest.mark.parametrize("text", ["", "big", "55 parsec", "in", "-3m"])
def test_a_wrong_length_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="screen"):
        Viewing.parse(text, "2m")


def test_format_names_aliases_and_near_misses() -> None:
    assert find_format("anaglyph").name == "red-cyan"
    assert find_format("SBS_half") is FORMATS["sbs-half"]
    with pytest.raises(InvalidInput, match="did you mean checkerboard"):
        find_format("chekerboard")
    assert [card.name for card in find_formats("sbs, mpo,sbs")] == ["sbs", "mpo"]
    with pytest.raises(InvalidInput):
        find_formats(" , ")


@pytest.mark.parametrize("card", FORMATS.values(), ids=list(FORMATS))
def test_every_format_is_described(card: object) -> None:
    assert find_format(card.name) is card  # type: ignore[attr-defined]
    assert card.about.endswith(".")  # type: ignore[attr-defined]
    assert (card.packing == "anaglyph") == (card.anaglyph is not None)  # type: ignore[attr-defined]


def test_no_two_formats_write_the_same_file() -> None:
    names = [(card.tag, card.suffix) for card in FORMATS.values() if card.name != "pair"]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ANAGLYPHS)
def test_anaglyphs_keep_white_white_and_black_black(name: str) -> None:
    card = ANAGLYPHS[name]
    white = np.array(card.left).sum(axis=1) + np.array(card.right).sum(axis=1)
    np.testing.assert_allclose(white, 1, atol=0.22)  # least squares does not promise more
    assert card.source


def packed(pair: StereoPair, axis: int) -> Image:
    return Image(np.concatenate([pair.left.pixels, pair.right.pixels], axis))


def test_unpack_is_the_inverse_of_packing() -> None:
    pair = StereoPair(picture(6, 4), picture(6, 4, 1))
    for name, axis in (("sbs", 1), ("tb", 0)):
        back = unpack(packed(pair, axis), FORMATS[name])
        np.testing.assert_array_equal(back.left.pixels, pair.left.pixels)
        np.testing.assert_array_equal(back.right.pixels, pair.right.pixels)
    crossed = unpack(packed(pair.swapped(), 1), FORMATS["cross"])
    np.testing.assert_array_equal(crossed.left.pixels, pair.left.pixels)
    half = unpack(packed(pair, 1), FORMATS["sbs-half"])
    assert half.size == Size(12, 4)


def test_what_cannot_be_cut_is_refused() -> None:
    with pytest.raises(InvalidInput):
        unpack(picture(4, 4), FORMATS["rows"])
    with pytest.raises(InvalidInput):
        unpack(picture(1, 4), FORMATS["sbs"])
