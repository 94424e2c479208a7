"""A photo file is opened and decoded once, whatever is asked of it."""

from __future__ import annotations

import builtins
import io
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from memory import peak_kilobytes
from PIL import Image as Pillow
from PIL import ImageFile

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError
from depth3d.io.depth.embed import embed_depth
from depth3d.io.image.photofile import PhotoFile
from depth3d.io.image.read import encode_image, open_image
from depth3d.options import AnimateOptions, DepthOptions
from depth3d.pipeline.animate import scene_to_animate
from depth3d.pipeline.depthmap import save_depth
from depth3d.pipeline.eyes import find_eyes
from depth3d.pipeline.scene import load_scene


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count opens by file name, in Python's open, io.open and os.open."""
    counts: Counter[str] = Counter()

    def counted(real: Any) -> Any:
        def call(file: Any, *args: Any, **settings: Any) -> Any:
            if isinstance(file, str | os.PathLike):
                counts[Path(file).name] += 1
            return real(file, *args, **settings)

        return call

    for module, name in ((builtins, "open"), (io, "open"), (os, "open")):
        monkeypatch.setattr(module, name, counted(getattr(module, name)))
    return counts


def photo(tmp_path: Path, *, depth: bool) -> Path:
    rows, columns = np.mgrid[:120, :160]
    pixels = np.stack([rows * 2, columns, (rows * columns) % 251], axis=2).astype(np.uint8)
    data = encode_image(open_image(pixels), ".jpg")
    if depth:
        data = embed_depth(data, DepthMap((rows / 120).astype(np.float32)), "gdepth")
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("depth", [True, False], ids=["depth inside", "plain"])
def test_a_scene_opens_its_photo_once(tmp_path: Path, opened: Counter[str], depth: bool) -> None:
    path = photo(tmp_path, depth=depth)
    opened.clear()
    load_scene(path, DepthOptions(model="auto" if depth else "tiny"))
    assert opened["photo.jpg"] == 1


def test_embedding_depth_opens_the_photo_once(tmp_path: Path, opened: Counter[str]) -> None:
    from depth3d.options import DepthMapOptions

    path = photo(tmp_path, depth=True)
    opened.clear()
    save_depth(path, None, DepthMapOptions(embed="dynamic"))
    assert opened["photo.jpg"] == 1


def test_the_picture_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = photo(tmp_path, depth=True)
    sizes: list[tuple[int, int]] = []
    real = ImageFile.ImageFile.load

    def load(self: Any) -> Any:
        if self.tile:
            sizes.append(self.size)
        return real(self)

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    load_scene(path)
    # The photo and the depth picture inside it, which has the same size.
    assert sizes == [(160, 120), (160, 120)]
    assert Pillow.open(path).size == (160, 120)


def fine(size: tuple[int, int]) -> Pillow.Image:
    return Pillow.fromarray(np.random.default_rng(4).integers(0, 255, (*size[::-1], 3), np.uint8))


def test_a_jpeg_twice_as_large_as_its_result_needs_is_decoded_smaller() -> None:
    exif = Pillow.Exif()
    exif.get_ifd(0x8769).update({0x920A: 10.0, 0xA20E: 100.0, 0xA210: 4})  # focal length, pixels per millimeter
    buffer = io.BytesIO()
    fine((800, 600)).save(buffer, "JPEG", exif=exif)
    whole = open_image(buffer.getvalue())
    assert whole.size == (800, 600)
    assert whole.focal_35mm == pytest.approx(45.0)
    for long_side, size in ((100, (200, 150)), (101, (400, 300)), (200, (400, 300)), (201, (800, 600))):
        image = open_image(PhotoFile(buffer.getvalue(), long_side=long_side))
        assert image.size == size
        assert image.focal_35mm == whole.focal_35mm  # the sensor's pixels are those of the whole picture
    assert np.array_equal(image.pixels, whole.pixels)


def test_the_second_eye_is_decoded_at_the_scale_of_the_first(tmp_path: Path) -> None:
    fine((800, 600)).save(tmp_path / "a.jpg")
    fine((800, 600)).save(tmp_path / "b.jpg")
    file = PhotoFile((tmp_path / "a.jpg").read_bytes(), tmp_path / "a.jpg", long_side=100)
    pair = find_eyes(file, DepthOptions(second_eye=str(tmp_path / "b.jpg")))
    assert pair is not None
    assert pair.left.size == pair.right.size == (200, 150)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_depth_is_made_at_the_size_that_an_animation_needs(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photo{suffix}"
    fine((1600, 1200)).save(path)
    cases = {"200x150": (534, 400) if suffix == ".png" else (800, 600), "800x600": (1600, 1200)}
    for size, found in cases.items():
        options = AnimateOptions(size=size)
        scene = scene_to_animate(path, tmp_path / "a.mp4", options, DepthOptions(model="gradient"))
        assert scene.image.size == scene.depth.size == found


def test_the_whole_of_a_picture_counts_where_less_is_decoded() -> None:
    """A progressive JPEG is held whole, however little of it is wanted."""
    buffer = io.BytesIO()
    fine((16, 16)).save(buffer, "JPEG", progressive=True)
    data = bytearray(buffer.getvalue())
    place = data.index(b"\xff\xc2") + 5
    data[place : place + 4] = (12000).to_bytes(2, "big") * 2
    with pytest.raises(ReadError, match="12000x12000 pixels, more than 128 megapixels"):
        open_image(bytes(data), at_most=720)


@pytest.mark.slow
@pytest.mark.skipif("DEPTH3D_LONG" not in os.environ, reason="takes a minute: set DEPTH3D_LONG=1")
def test_an_animation_of_a_127_megapixel_photo_takes_about_a_gigabyte(tmp_path: Path) -> None:
    fine((1300, 975)).resize((13000, 9750)).save(tmp_path / "photo.jpg")
    code = "import sys, depth3d; depth3d.animate(sys.argv[1], seconds=0.5, model='tiny')"
    assert peak_kilobytes(code, tmp_path / "photo.jpg") < 1_200_000
