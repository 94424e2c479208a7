"""The files of tests/data/awkward: each opens as the picture that it is, or ends in one clear line."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from depth3d.errors import ReadError
from depth3d.image import Size
from depth3d.io.image.read import open_image

FOLDER = Path(__file__).parents[2] / "data" / "awkward"
# The mean difference from coffee.png that each way of storing it may cause, in levels of 255.
SAME = {
    **{f"orientation_{number}.jpg": 5.0 for number in range(2, 9)},
    **{"progressive.jpg": 5.0, "cmyk.jpg": 3.0, "no_suffix": 5.0, "photo.webp": 4.5, "photo.avif": 4.5},
    **{"photo.heic": 4.0, "palette.png": 2.5, "lab.tif": 1.0, "animated.gif": 2.5},
    **{"png_named.jpg": 0.0, "lzw.tif": 0.0, "alpha.png": 0.0},
}
BROKEN = {
    "bomb.gif": "128 megapixels",
    "damaged.png": "damaged",
    "empty.jpg": "empty",
    "header_only.jpg": "damaged",
    "text.png": r"damaged|unsupported",
    "truncated.heic": "damaged",
    "truncated.jpg": "damaged",
    "zero_width.gif": r"damaged|unsupported|empty",
}
ODD = {"gray.jpg": Size(144, 96), "one_bit.png": Size(144, 96), "one_pixel.png": Size(1, 1), "strip.png": Size(600, 8)}


@pytest.fixture(scope="module")
def coffee() -> np.ndarray:
    return open_image(FOLDER / "coffee.png").pixels.astype(float)


@pytest.mark.parametrize("name", SAME)
def test_however_it_is_stored_it_is_the_same_picture(name: str, coffee: np.ndarray) -> None:
    pixels = open_image(FOLDER / name).eight_bit().pixels
    assert pixels.shape == coffee.shape
    assert np.abs(pixels - coffee).mean() <= SAME[name]


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_opened_ends_in_one_line_that_names_the_file(name: str) -> None:
    with pytest.raises(ReadError, match=BROKEN[name]) as caught:
        open_image(FOLDER / name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ODD)
def test_unusual_kinds_and_shapes_open(name: str) -> None:
    image = open_image(FOLDER / name)
    assert image.size == ODD[name]
    if name in ("gray.jpg", "one_bit.png"):
        assert np.ptp(image.pixels.astype(int), axis=2).max() == 0


def test_sixteen_bits_stay() -> None:
    image = open_image(FOLDER / "gray_16bit.png")
    assert image.pixels.dtype == np.uint16
    assert (image.pixels % 257 == 0).all()
    assert len(np.unique(image.pixels)) > 100


def test_the_transparent_side_is_kept() -> None:
    alpha = open_image(FOLDER / "alpha.png").alpha
    assert alpha is not None
    assert (np.diff(alpha[0].astype(int)) >= 0).all()


def test_names_in_any_script(tmp_path: Path, coffee: np.ndarray) -> None:
    path = Path(shutil.copyfile(FOLDER / "photo.webp", tmp_path / "ünï côdé 写真.webp"))
    assert np.abs(open_image(path).pixels - coffee).mean() < 4.5


def test_every_file_is_tested() -> None:
    elsewhere = {"coffee.png", "gray_16bit.png", "photo.webp"}
    here = {path.name for path in FOLDER.iterdir() if path.suffix not in (".mpo", ".jps", ".pfm")} - {"pair_named.jpg"}
    assert here == {*SAME, *BROKEN, *ODD} | elsewhere
