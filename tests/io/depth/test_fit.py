"""Maps that do not lie on their photo: turned, mirrored, squeezed, padded; and photo and depth in one picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.io.depth.fit import edge_agreement, fit_depth
from depth3d.io.depth.rgbd import split_rgbd
from depth3d.io.image.exif import upright


def scene(seed: int = 0, width: int = 400, height: int = 260) -> tuple[Image, DepthMap]:
    """Discs of different color and depth on a textured ramp."""
    chance = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    depth = 0.1 + 0.3 * rows / height
    color = np.stack([90 + 40 * np.sin(columns / 9), 120 + 30 * np.sin(rows / 7), 80 + columns / 8], axis=2)
    for _ in range(9):
        x, y, radius = chance.uniform(0, width), chance.uniform(0, height), chance.uniform(15, 50)
        inside = (columns - x) ** 2 + (rows - y) ** 2 < radius**2
        depth = np.where(inside, chance.uniform(0.4, 1.0), depth)
        color = np.where(inside[..., None], chance.uniform(0, 255, 3), color)
    noise = chance.normal(0, 6, color.shape)
    return Image(np.clip(color + noise, 0, 255).astype(np.uint8)), DepthMap(depth.astype(np.float32))


INVERSE = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("seed", range(4))
def test_a_map_in_any_orientation_is_turned_back(turn: int, seed: int) -> None:
    photo, depth = scene(seed)
    stored = DepthMap(upright(depth.values, turn))
    fitted, words = fit_depth(stored, photo)
    np.testing.assert_array_equal(fitted.values, depth.values)
    assert bool(words) == (turn != 1)


@pytest.mark.parametrize("size", [(384, 384), (518, 518), (256, 256), (392, 266), (400, 244)])
def test_squeezed_maps_are_stretched(size: tuple[int, int]) -> None:
    photo, depth = scene(2)
    stored = DepthMap(cv2.resize(depth.values, size, interpolation=cv2.INTER_AREA))
    fitted, words = fit_depth(stored, photo)
    assert np.array_equal(fitted.values, stored.values)
    assert ("stretched" in words) == (abs(size[0] / size[1] / (400 / 260) - 1) > 0.02)


@pytest.mark.parametrize("centered", [True, False])
@pytest.mark.parametrize("multiple", [32, 400])
def test_padding_is_removed(centered: bool, multiple: int) -> None:
    photo, depth = scene(3, 400, 262)
    down = -262 % multiple if multiple < 400 else 400 - 262
    above = down // 2 if centered else 0
    stored = DepthMap(np.pad(depth.values, ((above, down - above), (0, 0)), mode="edge"))
    fitted, words = fit_depth(stored, photo)
    assert "padding removed" in words
    assert abs(fitted.size.height - 262) <= 1
    assert np.abs(cv2.resize(fitted.values, (400, 262)) - depth.values).mean() < 0.01


def test_maps_of_other_photos_are_refused_and_say_what_was_tried() -> None:
    photo, _ = scene(5)
    _, other = scene(6)
    stored = DepthMap(np.ascontiguousarray(other.values[:, 60:320]))
    with pytest.raises(InvalidInput, match=r"stretched, padded, mirrored, turned by 90, 180 and 270"):
        fit_depth(stored, photo)


def test_maps_without_edges_and_periodic_photos_are_left_alone() -> None:
    photo, _ = scene(1)
    ramp = DepthMap(np.tile(np.linspace(0, 1, 260, dtype=np.float32)[:, None], (1, 400)))
    assert fit_depth(ramp, photo) == (ramp, "")
    stripes = Image(np.tile((np.arange(400) // 10 % 2 * 255).astype(np.uint8)[None, :, None], (260, 1, 3)))
    _, depth = scene(1)
    assert fit_depth(depth, stripes)[1] == ""


def test_real_maps_stay_where_they_are(shared: Path) -> None:
    from depth3d.io.depth.read import load_depth
    from depth3d.io.image.read import open_image

    folder = shared / "data" / "photos" / "with_depth"
    for name in ("hut", "mango", "tunnel"):
        image = open_image(folder / f"depthy_{name}-image.jpg")
        found = load_depth(folder / f"depthy_{name}-depth.jpg", image=image)
        assert "turned" not in found.how
        assert edge_agreement(found.depth, image) > 0.15


@pytest.mark.parametrize("order", ["photo first", "depth first", "depth below"])
def test_photo_and_depth_in_one_picture(order: str) -> None:
    photo, depth = scene(4)
    gray = np.repeat(np.rint(depth.values * 255).astype(np.uint8)[..., None], 3, axis=2)
    parts = [photo.pixels, gray] if order != "depth first" else [gray, photo.pixels]
    whole = Image(np.vstack(parts) if order == "depth below" else np.hstack(parts))
    found = split_rgbd(whole)
    assert found is not None
    assert np.array_equal(found.image.pixels, photo.pixels)
    assert np.abs(found.depth.values - depth.values).max() <= 0.5 / 255 + 1e-6


def test_a_colored_half_beside_another_gray_picture_is_not_depth() -> None:
    photo, _ = scene(4)
    other, _ = scene(5)
    gray = np.repeat(cv2.cvtColor(other.pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert split_rgbd(Image(np.hstack([photo.pixels, gray]))) is None
    assert split_rgbd(Image(np.hstack([photo.pixels, other.pixels]))) is None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mode", ["constant", "edge"])
@pytest.mark.parametrize("multiple", [14, 16, 32])
def test_padding_on_both_axes_is_removed(multiple: int, mode: str, seed: int) -> None:
    """The padded shape may be the photo's, nearly."""
    photo, depth = scene(seed, 400, 300)
    small = cv2.resize(depth.values, (280 - seed, 210 - seed), interpolation=cv2.INTER_AREA)
    across, down = -small.shape[1] % multiple, -small.shape[0] % multiple
    stored = DepthMap(np.pad(small, ((0, down), (0, across)), mode=mode))  # type: ignore[call-overload]
    fitted, _ = fit_depth(stored, photo)
    found = cv2.resize(fitted.values, (280, 210), interpolation=cv2.INTER_AREA)
    true = cv2.resize(small, (280, 210), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(found.ravel(), true.ravel())[0, 1] > 0.97


@pytest.mark.parametrize(("across", "down"), [(1, 4), (0, 5), (7, 0)])
def test_a_few_rows_of_zeros_are_padding(across: int, down: int) -> None:
    photo, depth = scene(2, 400, 300)
    values = np.maximum(depth.values, 0.1)
    fitted, words = fit_depth(DepthMap(np.pad(values, ((0, down), (0, across)))), photo)
    assert "padding removed" in words
    np.testing.assert_array_equal(fitted.values, values)


def test_a_flat_border_of_a_map_that_fits_stays() -> None:
    photo, depth = scene(1, 400, 300)
    values = depth.values.copy()
    values[-20:] = values[:, -24:] = 0
    fitted, words = fit_depth(DepthMap(values), photo)
    assert words == ""
    np.testing.assert_array_equal(fitted.values, values)
