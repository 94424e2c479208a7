"""The small inputs of shared/data/faults: each gives what the README there says."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from depth3d.io.depth.fit import edge_agreement
from depth3d.io.image.photofile import open_photo
from depth3d.io.stereo.detect import read_stereo
from depth3d.options import DepthMapOptions, DepthOptions
from depth3d.pipeline.depthmap import save_depth
from depth3d.pipeline.scene import load_scene


@pytest.fixture
def faults(shared: Path) -> Path:
    return shared / "data" / "faults"


def test_depth_beside_or_inside(faults: Path) -> None:
    cases = [
        ("dynamic_depth_attr.jpg", "Dynamic Depth"),
        ("heatmap_axes/photo.jpg", "plot cropped to its map"),
        ("heatmap_border/photo.jpg", "plot cropped to its map"),
        ("exif3/photo.jpg", "turned by 180 degrees"),
        ("squeezed/photo.jpg", "stretched from 384x384"),
        ("rgbd.jpg", "photo and depth side by side"),
    ]
    for name, words in cases:
        scene = load_scene(faults / name)
        assert words in scene.how, name
        assert edge_agreement(scene.depth, scene.image) > 0.2
        assert np.ptp(scene.depth.values) > 0.5


def test_depth_files_of_the_flower(faults: Path) -> None:
    cases = [
        ("mm.png", "depth camera"),
        ("dwaa_Y32.exr", "numbers from 0 to 1"),
        ("u32.tif", "32-bit unsigned integer TIFF"),
        ("z.npz", "array 'depth'"),
    ]
    for name, words in cases:
        scene = load_scene(faults / "p.jpg", DepthOptions(depth=str(faults / name)))
        assert words in scene.how, name
        values = scene.depth.values
        height, width = values.shape
        flower = values[height // 2 - 20 : height // 2 + 20, width // 2 - 20 : width // 2 + 20]
        assert flower.mean() > values[:30, :60].mean() + 0.3  # the flower is near, its background far


def test_the_sharp_original_is_used(faults: Path) -> None:
    from depth3d.io.image.read import open_image

    data = (faults / "dynamic_depth_attr.jpg").read_bytes()
    appended = data[62204 : 62204 + 77348]  # the item android/original_image of its directory
    scene = load_scene(faults / "dynamic_depth_attr.jpg")
    assert "sharp original" in scene.how
    np.testing.assert_array_equal(scene.image.pixels, open_image(appended).pixels)
    assert not np.array_equal(scene.image.pixels, open_image(data).pixels)


def test_a_card_and_its_depth_agree(faults: Path, tmp_path: Path) -> None:
    card = Path(shutil.copy(faults / "card" / "card.jpg", tmp_path))
    eye = read_stereo(card).left
    written, scene = save_depth(card)
    assert scene.part == "left"
    assert [path.name for path in written] == ["card_depth.png", "card_left.jpg"]
    again = load_scene(card)
    assert again.image.size == eye.size == scene.depth.size
    assert "of the left eye" in again.how
    left = load_scene(written[1])
    assert left.depth.size == left.image.size == eye.size
    pair, _ = save_depth(card, None, DepthMapOptions(facebook=True))
    sizes = {open_photo(path).path: read_size(path) for path in pair}
    assert len(set(sizes.values())) == 1
    assert abs(next(iter(sizes.values())).aspect / eye.size.aspect - 1) < 0.01
    assert read_size(card) != next(iter(sizes.values()))


def read_size(path: Path):  # type: ignore[no-untyped-def]
    from depth3d.io.image.read import open_image

    return open_image(path).size
