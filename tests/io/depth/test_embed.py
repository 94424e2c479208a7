"""Depth written into JPEG files: read back by our reader, and by exiftool as a witness."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import ExifTags
from PIL import Image as Pillow

from depth3d.depthmap import DepthMap
from depth3d.errors import ExistsError, InvalidInput
from depth3d.image import Image
from depth3d.io.depth.embed import Embedding, embed_depth, write_embedded
from depth3d.io.depth.embedded.registry import embedded_depth as embedded_depth_of
from depth3d.io.depth.read import find_depth
from depth3d.io.image.jpeg import jpeg_segments
from depth3d.io.image.photofile import PhotoFile

KINDS = get_args(Embedding)
RAMP = DepthMap(np.tile(np.linspace(0, 1, 300, dtype=np.float32), (200, 1)))
NOISE = DepthMap(np.random.default_rng(3).random((400, 600), dtype=np.float32))  # some 250 kB: several segments


def embedded_depth(data: bytes) -> Any:
    return embedded_depth_of(PhotoFile(data))


def photo(width: int = 300, height: int = 200, **settings: Any) -> bytes:
    ramp = np.linspace(0, 255, width, dtype=np.uint8)
    buffer = io.BytesIO()
    Pillow.fromarray(np.tile(ramp[None, :, None], (height, 1, 3))).save(buffer, "JPEG", quality=80, **settings)
    return buffer.getvalue()


def image_of(data: bytes) -> Image:
    return Image(np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB")))


def pixels_of(data: bytes) -> bytes:
    """From the first quantisation table to the end marker: what makes the picture."""
    start = next(segment.start for segment in jpeg_segments(data) if segment.marker == 0xDB)
    return data[start : data.index(b"\xff\xd9", start) + 2]


@pytest.mark.parametrize("kind", KINDS)
def test_depth_comes_back_and_the_photo_is_untouched(tmp_path: Path, kind: Embedding) -> None:
    data = photo()
    path = write_embedded(image_of(data), RAMP, tmp_path / "a.jpg", kind, source=data)
    found = find_depth(path)
    assert found is not None
    # 8 bits; the appended picture of Dynamic Depth is a JPEG.
    np.testing.assert_allclose(found.depth.values, RAMP.values, atol=0.002 if kind == "gdepth" else 0.012)
    assert pixels_of(path.read_bytes()) == pixels_of(data)
    np.testing.assert_array_equal(np.asarray(Pillow.open(path)), np.asarray(Pillow.open(io.BytesIO(data))))


def test_large_depth_spans_several_segments() -> None:
    data = embed_depth(photo(), NOISE, "gdepth")
    parts = [s for s in jpeg_segments(data) if s.payload.startswith(b"http://ns.adobe.com/xmp/extension/")]
    assert len(parts) >= 4
    assert all(len(part.payload) <= 65533 for part in parts)
    found = embedded_depth(data)
    assert found is not None
    gray = np.asarray(Pillow.open(io.BytesIO(found.picture)))
    np.testing.assert_array_equal(gray, np.rint((1 - NOISE.values) * 255))
    assert found.encoding == "RangeInverse"


@pytest.mark.parametrize("kind", KINDS)
def test_distances_are_told(kind: Embedding) -> None:
    found = embedded_depth(embed_depth(photo(), RAMP, kind, near_far=(1.25, 40.0)))
    assert found is not None
    assert (found.near, found.far) == (1.25, 40.0)
    # Google's RangeInverse: 0 = near; d = far * near / (far - dn * (far - near)).
    stored = np.asarray(Pillow.open(io.BytesIO(found.picture)).convert("L")).astype(float) / 255
    distance = 40.0 * 1.25 / (40.0 - stored * (40.0 - 1.25))
    np.testing.assert_allclose(1 / distance, 1 / RAMP.metric(1.25, 40.0), atol=0.012 * (1 / 1.25))


@pytest.mark.parametrize("kind", KINDS)
def test_old_depth_is_replaced_and_exif_kept(kind: Embedding) -> None:
    exif = Pillow.Exif()
    exif[ExifTags.Base.Make] = "maker"
    first = embed_depth(photo(exif=exif), NOISE, "gdepth")
    second = embed_depth(first, RAMP, kind)
    found = embedded_depth(second)
    assert found is not None
    assert found.kind == {"gdepth": "GDepth", "dynamic": "Dynamic Depth"}[kind]
    mains = [s for s in jpeg_segments(second) if s.payload.startswith(b"http://ns.adobe.com/xap/1.0/\0")]
    assert len(mains) == 1
    assert Pillow.open(io.BytesIO(second)).getexif()[ExifTags.Base.Make] == "maker"
    assert embed_depth(second, RAMP, kind) == second


def test_a_turned_photo_is_written_upright(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = photo(exif=exif)
    upright = Image(np.rot90(np.asarray(Pillow.open(io.BytesIO(data))), 3))
    depth = DepthMap(np.ascontiguousarray(np.rot90(RAMP.values, 3)))
    path = write_embedded(upright, depth, tmp_path / "a.jpg", "gdepth", source=data)
    back = Pillow.open(path)
    assert back.size == (200, 300)
    assert ExifTags.Base.Orientation not in back.getexif()
    found = find_depth(path)
    assert found is not None
    np.testing.assert_allclose(found.depth.values, depth.values, atol=0.002)


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not a JPEG"):
        embed_depth(b"\x89PNG", RAMP, "gdepth")
    with pytest.raises(InvalidInput, match="expected 0 < near < far"):
        embed_depth(photo(), RAMP, "gdepth", near_far=(5.0, 1.0))
    with pytest.raises(InvalidInput, match="expected 'gdepth' or 'dynamic'"):
        embed_depth(photo(), RAMP, "portrait")  # type: ignore[arg-type]
    (tmp_path / "a.jpg").write_bytes(b"mine")
    with pytest.raises(ExistsError):
        write_embedded(image_of(photo()), RAMP, tmp_path / "a.jpg", "gdepth")


def exiftool(path: Path, *arguments: str) -> bytes:
    if shutil.which("exiftool") is None:
        pytest.skip("needs exiftool")
    return subprocess.run(["exiftool", *arguments, str(path)], capture_output=True, check=True).stdout


@pytest.mark.parametrize("kind", KINDS)
def test_exiftool_finds_the_file_valid(tmp_path: Path, kind: Embedding) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(embed_depth(photo(), NOISE, kind))
    assert b"OK" in exiftool(path, "-validate", "-warning", "-a")


def test_exiftool_reads_gdepth(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(embed_depth(photo(), NOISE, "gdepth", near_far=(0.5, 8.0)))
    facts = json.loads(exiftool(path, "-j", "-XMP-GDepth:all"))[0]
    assert (facts["Format"], facts["Near"], facts["Far"], facts["Mime"]) == ("RangeInverse", 0.5, 8, "image/png")
    gray = np.asarray(Pillow.open(io.BytesIO(exiftool(path, "-b", "-XMP-GDepth:DepthImage"))))
    np.testing.assert_array_equal(gray, np.rint((1 - NOISE.values) * 255))


def test_exiftool_reads_dynamic_depth(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    data = embed_depth(photo(), RAMP, "dynamic", near_far=(0.5, 8.0))
    path.write_bytes(data)
    facts = json.loads(exiftool(path, "-j", "-struct", "-XMP-Device:all"))[0]
    lens = facts["Cameras"][0]["Camera"]
    assert lens["DepthMap"]["Format"] == "RangeInverse"
    assert (lens["DepthMap"]["Near"], lens["DepthMap"]["Far"], lens["DepthMap"]["Units"]) == (0.5, 8, "Meters")
    items = [each["Item"] for each in facts["Container"]["Directory"]]
    assert items[0]["Length"] == 0
    appended = data[-items[1]["Length"] :]
    assert np.asarray(Pillow.open(io.BytesIO(appended))).shape[:2] == (200, 300)
    assert len(data) - items[1]["Length"] == data.index(appended)
