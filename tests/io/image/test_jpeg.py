"""JPEG bytes kept where that is right."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags
from PIL import Image as Pillow

from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.io.image.jpeg import insert_segments, jpeg_segments, own_jpeg, without_metadata
from depth3d.io.image.read import open_image

PIXELS = np.random.default_rng(5).integers(0, 256, (40, 60, 3), np.uint8)


def encoded(kind: str = "JPEG", mode: str = "RGB", **settings: Any) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(PIXELS).convert(mode).save(buffer, kind, **settings)
    return buffer.getvalue()


def oriented(orientation: int) -> bytes:
    exif = Pillow.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    return encoded(exif=exif)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_plain_jpeg_is_kept_byte_for_byte(mode: str) -> None:
    data = encoded(mode=mode)
    assert own_jpeg(data, open_image(data)) == data
    assert own_jpeg(oriented(1), open_image(oriented(1))) == oriented(1)


def test_what_follows_the_picture_is_left_off() -> None:
    data = encoded()
    assert own_jpeg(data + b"a clip of a few seconds", open_image(data)) == data


@pytest.mark.parametrize(
    "data",
    [oriented(6), oriented(3), encoded("PNG"), encoded(mode="CMYK"), b"", b"\xff\xd8\xff\xe0 broken"],
    ids=["turned", "upside down", "PNG", "CMYK", "empty", "broken"],
)
def test_others_are_not(data: bytes) -> None:
    image = Image(PIXELS) if len(data) < 100 else open_image(data)
    assert own_jpeg(data, image) is None


def test_another_picture_s_bytes_are_not_used() -> None:
    data = encoded()
    image = open_image(data)
    assert own_jpeg(data, Image(255 - image.pixels)) is None
    assert own_jpeg(data, Image(image.pixels[:, ::-1])) is None


def test_wide_gamut_photos_are_encoded_anew(shared: Path) -> None:
    photo = shared / "data" / "photos" / "with_depth" / "pug_iphone.jpg"
    image = open_image(photo)
    kept = own_jpeg(photo.read_bytes(), image)
    profile = Pillow.open(photo).info.get("icc_profile")
    plain = np.asarray(Pillow.open(photo).convert("RGB"))
    assert (kept is not None) == np.array_equal(plain, image.pixels)
    assert profile is None or kept is None


def test_metadata_goes_and_the_picture_stays() -> None:
    data = oriented(1)
    clean = without_metadata(data)
    assert not Pillow.open(io.BytesIO(clean)).getexif()
    assert b"Exif" not in clean
    np.testing.assert_array_equal(np.asarray(Pillow.open(io.BytesIO(clean))), np.asarray(Pillow.open(io.BytesIO(data))))


def test_cmyk_s_color_transform_stays() -> None:
    data = encoded(mode="CMYK")
    assert any(segment.marker == 0xEE for segment in jpeg_segments(data))
    clean = without_metadata(data)
    np.testing.assert_array_equal(np.asarray(Pillow.open(io.BytesIO(clean))), np.asarray(Pillow.open(io.BytesIO(data))))


def test_segments_go_in_behind_jfif_and_exif() -> None:
    data = insert_segments(oriented(1), [(0xE1, b"one"), (0xE5, b"two")])
    markers = [(segment.marker, segment.payload[:4]) for segment in jpeg_segments(data)][:4]
    first = [marker for marker, _ in markers]
    at = markers.index((0xE1, b"one"))
    assert markers[at + 1] == (0xE5, b"two")
    assert at == sum(marker == 0xE0 or payload == b"Exif" for marker, payload in markers), first
    Pillow.open(io.BytesIO(data)).load()


def test_too_long_a_segment_is_refused() -> None:
    with pytest.raises(InvalidInput, match="65534 bytes, expected at most 65533"):
        insert_segments(encoded(), [(0xE1, bytes(65534))])
    with pytest.raises(InvalidInput, match="not a JPEG"):
        insert_segments(b"GIF89a", [])
