from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from depth3d.depthmap import DepthMap
from depth3d.errors import ExistsError
from depth3d.image import Image
from depth3d.io.depth.facebook import write_facebook_pair
from depth3d.io.image.read import open_image, save_image

DEPTH = DepthMap(np.tile(np.linspace(1, 0, 32, dtype=np.float32), (24, 1)))


def photo(width: int = 64, height: int = 48, alpha: bool = False) -> Image:
    pixels = np.full((height, width, 3), (180, 90, 40), np.uint8)
    return Image(pixels, np.full((height, width), 100, np.uint8) if alpha else None)


def check(first: Path, second: Path, size: tuple[int, int]) -> None:
    with Pillow.open(first) as one, Pillow.open(second) as two:
        assert (one.format, two.format) == ("JPEG", "JPEG")
        assert one.size == two.size == size
        assert "icc_profile" not in one.info
        assert one.getexif().get(274, 1) == 1
    gray = open_image(second).pixels
    assert gray[size[1] // 2, 10].min() > 240, "white is near"
    assert gray[size[1] // 2, -10].max() < 15


def test_a_small_png_with_alpha_becomes_a_large_opaque_pair(tmp_path: Path) -> None:
    source = save_image(photo(alpha=True), tmp_path / "me.png")
    first, second = write_facebook_pair(open_image(source), DEPTH, source)
    assert (first.name, second.name) == ("me.jpg", "me_depth.jpg")
    check(first, second, (640, 480))
    with pytest.raises(ExistsError):
        write_facebook_pair(photo(), DEPTH, source)


def test_a_good_jpeg_stays_as_it_is(tmp_path: Path) -> None:
    source = save_image(photo(800, 600), tmp_path / "me.jpg")
    before = source.read_bytes()
    first, second = write_facebook_pair(open_image(source), DEPTH, source)
    assert first == source
    assert source.read_bytes() == before
    check(first, second, (800, 600))


@pytest.mark.parametrize("fault", ["small", "turned", "profile"])
def test_a_jpeg_that_facebook_would_spoil_gets_a_partner_of_its_own(tmp_path: Path, fault: str) -> None:
    source = tmp_path / "me.jpg"
    size = (64, 48) if fault == "small" else (480, 640) if fault == "turned" else (640, 480)
    exif = Pillow.Exif()
    exif[274] = 6 if fault == "turned" else 1
    profile = b"some wide profile" if fault == "profile" else None
    Pillow.new("RGB", size, (180, 90, 40)).save(source, exif=exif.tobytes(), icc_profile=profile)
    before = source.read_bytes()
    first, second = write_facebook_pair(open_image(source), DEPTH, source, force=True)
    assert (first.name, second.name) == ("me_facebook.jpg", "me_facebook_depth.jpg")
    assert source.read_bytes() == before
    check(first, second, (640, 480))


def test_the_pair_goes_where_it_is_told(tmp_path: Path) -> None:
    source = save_image(photo(800, 600), tmp_path / "me.jpg")
    (tmp_path / "post").mkdir()
    first, second = write_facebook_pair(open_image(source), DEPTH, source, tmp_path / "post" / "cat.jpg")
    assert [first, second] == [tmp_path / "post" / "cat.jpg", tmp_path / "post" / "cat_depth.jpg"]
    check(first, second, (800, 600))
