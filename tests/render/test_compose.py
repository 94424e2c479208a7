"""Compositions on the GPU against numpy, each anaglyph against its matrix, layouts against ffmpeg's stereo3d."""

from __future__ import annotations

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.anaglyphs import ANAGLYPHS
from depth3d.errors import InvalidInput
from depth3d.image import Image, Size, linear_to_srgb
from depth3d.render.compose import Composer, compose, composed_size
from depth3d.stereoformats import FORMATS, StereoFormat
from depth3d.stereopair import StereoPair, unpack

FLAT = [card for card in FORMATS.values() if card.flat]
LAYOUTS = [card for card in FLAT if card.packing != "anaglyph"]


def random_pair(width: int = 24, height: int = 14, dtype: type = np.uint8) -> StereoPair:
    random = np.random.default_rng(1)
    top = np.iinfo(dtype).max
    left, right = (Image(random.integers(0, top, (height, width, 3), dtype, endpoint=True)) for _ in range(2))
    return StereoPair(left, right)


def oracle(pair: StereoPair, card: StereoFormat) -> NDArray[np.float64]:
    """The composition in numpy, in code values (not rounded)."""
    first, second = (pair.right, pair.left) if card.right_first else (pair.left, pair.right)
    a, b = first.pixels.astype(np.float64), second.pixels.astype(np.float64)
    if card.half:
        width, height = pair.size
        if card.packing == "side":
            a, b = ((e[:, 0 : width // 2 * 2 : 2] + e[:, 1 : width // 2 * 2 : 2]) / 2 for e in (a, b))
        else:
            a, b = ((e[0 : height // 2 * 2 : 2] + e[1 : height // 2 * 2 : 2]) / 2 for e in (a, b))
    if card.packing == "side":
        return np.concatenate([a, b], axis=1)
    if card.packing == "stack":
        return np.concatenate([a, b], axis=0)
    if card.anaglyph is not None:
        light = (
            pair.left.linear() @ np.array(card.anaglyph.left).T + pair.right.linear() @ np.array(card.anaglyph.right).T
        )
        coded = linear_to_srgb(np.clip(light, 0, 1).astype(np.float32))
        return coded.astype(np.float64) * np.iinfo(pair.left.pixels.dtype).max
    y, x = np.mgrid[: a.shape[0], : a.shape[1]]
    odd = {"rows": y, "columns": x, "checker": x + y}[card.packing] % 2 == 1
    return np.where(odd[..., None], b, a)


@pytest.mark.parametrize("card", FLAT, ids=lambda card: card.name)
@pytest.mark.parametrize("size", [(24, 14), (13, 9)], ids=["even", "odd"])
def test_gpu_equals_numpy(card: StereoFormat, size: tuple[int, int]) -> None:
    pair = random_pair(*size)
    found = compose(pair, card)
    assert found.size == composed_size(pair.size, card)
    exact = not card.half and card.anaglyph is None
    np.testing.assert_allclose(found.pixels, oracle(pair, card), atol=0 if exact else 0.51)


@pytest.mark.parametrize("name", ["sbs", "checkerboard", "anaglyph"])
def test_sixteen_bits_stay_sixteen(name: str) -> None:
    pair = random_pair(dtype=np.uint16)
    found = compose(pair, name)
    assert found.pixels.dtype == np.uint16
    card = FORMATS["red-cyan" if name == "anaglyph" else name]
    np.testing.assert_allclose(found.pixels, oracle(pair, card), atol=4 if card.anaglyph else 0)


@pytest.mark.parametrize("name", ANAGLYPHS)
def test_pure_colors_come_out_as_the_published_matrix_says(name: str) -> None:
    card = ANAGLYPHS[name]
    black = np.zeros((2, 2, 3), np.uint8)
    for matrix, is_left in ((card.left, True), (card.right, False)):
        for channel in range(3):
            pure = black.copy()
            pure[..., channel] = 255
            pair = StereoPair(Image(pure), Image(black)) if is_left else StereoPair(Image(black), Image(pure))
            wanted = np.clip([row[channel] for row in matrix], 0, 1)
            found = compose(pair, name).linear()[0, 0]
            np.testing.assert_allclose(found, wanted, atol=0.006)


def test_alpha_is_carried_along() -> None:
    pair = random_pair()
    alpha = np.random.default_rng(2).integers(0, 256, (14, 24), dtype=np.uint8)
    found = compose(StereoPair(Image(pair.left.pixels, alpha), pair.right), "sbs")
    assert found.alpha is not None
    np.testing.assert_array_equal(found.alpha[:, :24], alpha)
    assert found.alpha[:, 24:].min() == 255
    assert compose(pair, "sbs").alpha is None


def test_full_side_by_side_is_exactly_twice_as_wide_and_half_is_not() -> None:
    assert composed_size(Size(1921, 1080), "sbs") == Size(3842, 1080)
    assert composed_size(Size(1920, 1080), "sbs-half") == Size(1920, 1080)
    assert composed_size(Size(1920, 1080), "tb") == Size(1920, 2160)
    assert composed_size(Size(1920, 1080), "anaglyph") == Size(1920, 1080)


def test_a_composer_does_many_pairs_and_refuses_other_sizes() -> None:
    with Composer(Size(24, 14), "rows") as composer:
        for dtype in (np.uint8, np.uint16, np.uint8):
            pair = random_pair(dtype=dtype)
            np.testing.assert_array_equal(composer.compose(pair).pixels, oracle(pair, FORMATS["rows"]))
        with pytest.raises(InvalidInput, match="expected 24x14"):
            composer.compose(random_pair(10, 10))


def test_wider_than_any_target_is_drawn_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = random_pair()
    with Composer(pair.size, "sbs") as composer:
        composer._tile = Size(20, 9)
        np.testing.assert_array_equal(composer.compose(pair).pixels, oracle(pair, FORMATS["sbs"]))


def test_files_are_no_pictures() -> None:
    with pytest.raises(InvalidInput, match="mpo is not one flat picture"):
        compose(random_pair(), "mpo")


@pytest.mark.parametrize("name", ["sbs", "cross", "tb"])
def test_unpack_undoes_compose(name: str) -> None:
    pair = random_pair()
    back = unpack(compose(pair, name), FORMATS[name])
    np.testing.assert_array_equal(back.left.pixels, pair.left.pixels)
    np.testing.assert_array_equal(back.right.pixels, pair.right.pixels)


FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
LAYOUT_NAMES = {"cross": "sbsr", "tb": "abl"}
# ffmpeg weaves all pixels of both eyes together, so it gets the pixels that a screen of the photo's size can show.
WOVEN_NAMES = {"rows": "irl", "rows-right": "irr", "columns": "icl", "columns-right": "icr", "checkerboard": "chl"}


def by_ffmpeg(side: NDArray[np.uint8], layout: str, size: Size) -> NDArray[np.uint8]:
    """A full side-by-side picture turned into ``layout`` by ffmpeg's stereo3d filter."""
    height, width = side.shape[:2]
    command = [FFMPEG, "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-i", "-"]
    command += ["-vf", f"stereo3d=sbsl:{layout}", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, input=side.tobytes(), stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(size.height, size.width, 3)


@pytest.mark.parametrize("name", LAYOUT_NAMES)
def test_ffmpeg_lays_out_the_same(name: str) -> None:
    pair = random_pair(24, 14)
    witness = by_ffmpeg(compose(pair, "sbs").pixels, LAYOUT_NAMES[name], composed_size(pair.size, name))
    np.testing.assert_array_equal(compose(pair, name).pixels, witness)


def shown(eye: Image, packing: str, odd: bool) -> NDArray[np.uint8]:
    """The pixels of an eye that an interlaced screen shows: every second row, column or checker field."""
    pixels = eye.pixels
    if packing == "rows":
        return pixels[int(odd) :: 2]
    if packing == "columns":
        return pixels[:, int(odd) :: 2]
    return np.stack([row[(number + odd) % 2 :: 2] for number, row in enumerate(pixels)])


@pytest.mark.parametrize("name", WOVEN_NAMES)
def test_ffmpeg_weaves_the_same(name: str) -> None:
    pair, card = random_pair(24, 14), FORMATS[name]
    left = shown(pair.left, card.packing, card.right_first)
    right = shown(pair.right, card.packing, not card.right_first)
    witness = by_ffmpeg(np.concatenate([left, right], axis=1), WOVEN_NAMES[name], pair.size)
    np.testing.assert_array_equal(compose(pair, name).pixels, witness)


@pytest.mark.parametrize(
    ("name", "other"),
    [("red-cyan-color", "arcc"), ("green-magenta-color", "agmc"), ("amber-blue-color", "aybc")],
)
def test_ffmpeg_mixes_pure_channels_the_same(name: str, other: str) -> None:
    pair = random_pair(24, 14)
    if name.startswith("amber"):
        pair = pair.swapped()  # ffmpeg's yellow-blue family gives blue to the left eye
    witness = by_ffmpeg(compose(pair, "sbs").pixels, other, pair.size)
    mine = compose(pair.swapped() if name.startswith("amber") else pair, name).pixels
    np.testing.assert_allclose(mine.astype(int), witness, atol=1)
