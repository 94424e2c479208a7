"""Anaglyphs as input: recognized, told, separated into two colored eyes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from stereoscenes import scene_pair, texture

from depth3d.anaglyphs import ANAGLYPHS
from depth3d.errors import InvalidInput, ReadError
from depth3d.image import Image
from depth3d.io.image.photofile import open_photo
from depth3d.io.image.read import save_image
from depth3d.io.stereo.anaglyph import find_glasses
from depth3d.io.stereo.detect import read_stereo
from depth3d.options import DepthOptions
from depth3d.pipeline.eyes import find_eyes
from depth3d.pipeline.scene import load_scene
from depth3d.stereopair import StereoPair


def tinted(image: Image) -> Image:
    """Gray texture in soft, mild colors that move with the scene, as in photos."""
    gray = image.pixels[..., 1].astype(np.float32)
    tint = cv2.GaussianBlur(image.pixels.astype(np.float32), (0, 0), 12)
    tint -= tint.mean(axis=2, keepdims=True)
    return Image(np.clip(60 + 0.6 * gray[..., None] + 0.5 * tint, 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def pair() -> StereoPair:
    made = scene_pair(near=12, far=-4)
    return StereoPair(tinted(made.left), tinted(made.right))


def mixed(pair: StereoPair, kind: str) -> Image:
    """Mix in coded values, as most programs do."""
    card = ANAGLYPHS[kind]
    left, right = (eye.pixels.astype(np.float32) for eye in (pair.left, pair.right))
    both = left @ np.array(card.left, np.float32).T + right @ np.array(card.right, np.float32).T
    return Image(np.clip(np.rint(both), 0, 255).astype(np.uint8))


def error(found: Image, true: Image) -> float:
    return float(np.sqrt(np.mean((found.pixels.astype(float) - true.pixels) ** 2)))


@pytest.mark.parametrize("kind", ANAGLYPHS)
def test_every_kind_is_recognized(pair: StereoPair, kind: str) -> None:
    found = find_glasses(mixed(pair, kind))
    assert found is not None
    assert found.name == ANAGLYPHS[kind].glasses


@pytest.mark.parametrize("kind", ["red-cyan-color", "green-magenta-color", "amber-blue-color"])
def test_both_eyes_come_back_in_color(pair: StereoPair, tmp_path: Path, kind: str) -> None:
    whole = mixed(pair, kind)
    path = save_image(whole, tmp_path / "a.png")
    eyes = find_eyes(open_photo(path), DepthOptions(from_anaglyph=True))
    assert eyes is not None
    assert ANAGLYPHS[kind].glasses in eyes.notes[0]
    for found, true in ((eyes.left, pair.left), (eyes.right, pair.right)):
        assert error(found, true) < 8 < 0.5 * error(whole, true)
    swapped = find_eyes(open_photo(path), DepthOptions(from_anaglyph=True, swap_eyes=True))
    assert swapped is not None
    np.testing.assert_array_equal(swapped.left.pixels, eyes.right.pixels)


def test_the_depth_of_a_red_cyan_picture_is_that_of_its_scene(pair: StereoPair, tmp_path: Path) -> None:
    path = save_image(mixed(pair, "red-cyan-gray"), tmp_path / "a.jpg")
    scene = load_scene(path, DepthOptions(from_anaglyph=True))
    assert scene.part == "left"
    height, width = scene.depth.values.shape
    near = scene.depth.values[height // 3 : 2 * height // 3, width * 4 // 10 : width * 6 // 10]
    far = scene.depth.values[:, : width // 5]
    assert np.median(near) > np.median(far) + 0.6


def test_an_anaglyph_is_told_instead_of_animated(pair: StereoPair, tmp_path: Path) -> None:
    path = save_image(mixed(pair, "red-cyan"), tmp_path / "a.png")
    with pytest.raises(ReadError, match="red-cyan anaglyph; `from_anaglyph=True`"):
        load_scene(path, DepthOptions())
    with pytest.raises(ReadError, match="red-cyan anaglyph"):
        read_stereo(path)
    assert "network" in load_scene(path, DepthOptions(model="tiny", stereo=False)).how


def test_ordinary_gray_and_misprinted_pictures_are_no_anaglyphs(pair: StereoPair, tmp_path: Path) -> None:
    photo = pair.left.pixels
    gray = np.repeat(photo[..., :1], 3, axis=2)
    fringe = photo.copy()  # a lens that magnifies red by 0.2 % more than green
    zoom = cv2.getRotationMatrix2D((photo.shape[1] / 2, photo.shape[0] / 2), 0, 1.002)
    fringe[..., 0] = cv2.warpAffine(photo[..., 0], zoom, photo.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
    misprint = np.dstack([np.roll(photo[..., 0], 6, 1), photo[..., 1], np.roll(photo[..., 2], -5, 1)])
    noise = texture(320, 240)  # channels that have nothing in common
    for picture in (photo, gray, fringe, misprint, noise):
        assert find_glasses(Image(np.ascontiguousarray(picture))) is None
    path = save_image(pair.left, tmp_path / "a.png")
    with pytest.raises(ReadError, match="is no anaglyph"):
        find_eyes(open_photo(path), DepthOptions(from_anaglyph=True))
    with pytest.raises(InvalidInput, match="stereo cannot be off"):
        DepthOptions(from_anaglyph=True, stereo=False)


def test_photos_are_no_anaglyphs(shared: Path) -> None:
    from depth3d.io.image.read import open_image

    photos = sorted((shared / "data" / "photos").glob("*/*.[jp][pn]g"))
    assert [path.name for path in photos if find_glasses(open_image(path)) is not None] == []


@pytest.mark.parametrize("kind", ANAGLYPHS)
@pytest.mark.parametrize("name", ["cones", "art"])
def test_strong_colors_large_disparities_and_jpeg(shared: Path, kind: str, name: str) -> None:
    """Colored things are bright in one channel and dark in another."""
    from depth3d.io.image.read import encode_image, open_image

    eyes = [open_image(shared / "data" / "stereo" / name / f"{eye}.png", at_most=800) for eye in ("left", "right")]
    whole = encode_image(mixed(StereoPair(*eyes), kind), ".jpg", quality=70)
    found = find_glasses(open_image(whole))
    assert found is not None
    assert found.name == ANAGLYPHS[kind].glasses
