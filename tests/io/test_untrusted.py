"""Files made to hurt: every reader returns a value or raises one ``ReadError``, in linear time and bounded memory."""

from __future__ import annotations

import base64
import contextlib
import io
import random
import struct
import time
from collections.abc import Callable
from pathlib import Path

import memory
import numpy as np
import pytest
from mutants import SEED, SHARE, mutant
from PIL import Image as Pillow

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError
from depth3d.image import Image
from depth3d.io.depth.embed import embed_depth
from depth3d.io.depth.exr import encode_exr
from depth3d.io.depth.npy import encode_npy
from depth3d.io.depth.pfm import encode_pfm
from depth3d.io.depth.read import find_depth, load_depth
from depth3d.io.image.jpeg import insert_segments, own_jpeg
from depth3d.io.image.photofile import PhotoFile
from depth3d.io.image.read import encode_image, open_image
from depth3d.io.stereo.detect import find_pair
from depth3d.io.stereo.heic import write_spatial_heic
from depth3d.io.stereo.jps import write_jps
from depth3d.io.stereo.mpo import write_mpo
from depth3d.io.stereo.pns import write_pns
from depth3d.io.stereo.vrphoto import write_vr_photo
from depth3d.stereopair import StereoPair

XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
GDEPTH = "http://ns.google.com/photos/1.0/depthmap/"


def plain(width: int = 48, height: int = 32) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    return encode_image(Image(pixels), ".jpg", quality=60)


def extended(packet: bytes) -> list[tuple[int, bytes]]:
    head = EXTENDED + b"A" * 32 + struct.pack(">I", len(packet))
    starts = range(0, len(packet), 65000)
    return [(0xE1, head + struct.pack(">I", start) + packet[start : start + 65000]) for start in starts]


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "opening brackets": lambda n: insert_segments(plain(), extended(b"<a:Item " * (n // 8))),
    "words without end": lambda n: insert_segments(plain(), extended(b"<x " + b"a" * n)),
    "namespaces": lambda n: insert_segments(plain(), extended(b"<x " + b'xmlns:a="b" ' * (n // 12))),
    "deep": lambda n: insert_segments(plain(), extended(b"<a>" * (n // 3))),
    "nested spaces": lambda n: insert_segments(
        plain(), extended(b"<r>" + b"".join(b'<a xmlns:p%d="q">' % i for i in range(n // 20)))
    ),
    "entities": lambda n: insert_segments(
        plain(), [(0xE1, XMP + b'<!DOCTYPE a [<!ENTITY b "' + b"b" * 60000 + b'">]><a>' + b"&b;" * 500 + b"</a>")]
    ),
    "start markers": lambda n: plain() + b"\xff\xd8\xff" * (n // 3),
    "small pictures": lambda n: plain() + plain(8, 8) * (n // len(plain(8, 8))),
    "pictures with XMP": lambda n: plain() + insert_segments(plain(8, 8), [(0xE1, XMP + b"<a " * 100)]) * (n // 1200),
    "empty segments": lambda n: b"\xff\xd8" + b"\xff\xe1\x00\x02" * (n // 4),
    "fill bytes": lambda n: b"\xff\xd8" + b"\xff" * n,
    "MP index": lambda n: insert_segments(plain(), [(0xE2, b"MPF\0MM\0*" + b"\0\2\0\2" * 16000)] * max(1, n // 64000)),
    "base64": lambda n: insert_segments(
        plain(), extended(f'<a xmlns:G="{GDEPTH}" G:Data="'.encode() + b"A " * (n // 2) + b'"/>')
    ),
}


def everything(data: bytes, name: str = "photo.jpg") -> None:
    """Ask every reader about one file."""
    photo = PhotoFile(data, Path("/nonexistent") / name)
    for ask in (find_depth, find_pair, load_depth, open_image):
        with contextlib.suppress(ReadError):
            ask(photo)
    own_jpeg(data, Image(np.zeros((32, 48, 3), np.uint8)))


def cpu(data: bytes) -> float:
    start = time.process_time()
    everything(data)
    return time.process_time() - start


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_jpegs_take_linear_time(kind: str) -> None:
    everything(HOSTILE[kind](1000))  # imports
    once, four = (min(cpu(HOSTILE[kind](size)) for _ in range(2)) for size in (500_000, 2_000_000))
    assert four < 8 * once + 0.5, f"{once:.2f} s for 0.5 MB, {four:.2f} s for 2 MB"
    assert four < 5


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e308", "-1", "0", "1e-300", "x", "", "９"])
@pytest.mark.parametrize("kind", ["RangeLinear", "RangeInverse", "Range"])
def test_near_and_far_of_any_value(value: str, kind: str) -> None:
    png = encode_image(Image(np.full((8, 12, 3), 77, np.uint8)), ".png")
    text = base64.b64encode(png).decode()
    packet = f'<a xmlns:G="{GDEPTH}" G:Format="{kind}" G:Near="{value}" G:Far="{value}1" G:Data="{text}"/>'
    found = find_depth(PhotoFile(insert_segments(plain(48, 32), [(0xE1, XMP + packet.encode())])))
    assert found is not None
    assert np.isfinite(found.depth.values).all()


def test_base64_that_is_none(caplog: pytest.LogCaptureFixture) -> None:
    for text in ("Ünïcode", "====", "A", "\u202e"):
        packet = f'<a xmlns:G="{GDEPTH}" G:Data="{text}"/>'
        assert find_depth(PhotoFile(insert_segments(plain(), [(0xE1, XMP + packet.encode())]))) is None
    assert "it is not used" in caplog.text


def huge(width: int, height: int) -> bytes:
    """A small JPEG whose frame header claims another size."""
    data = bytearray(plain())
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize("inside", [False, True])
def test_a_header_that_claims_too_much_is_refused_before_decoding(inside: bool) -> None:
    data = huge(65535, 65535)
    if inside:
        packet = f'<a xmlns:G="{GDEPTH}" G:Data="{base64.b64encode(data).decode()}"/>'
        assert find_depth(PhotoFile(insert_segments(plain(), [(0xE1, XMP + packet.encode())]))) is None
        return
    with pytest.raises(ReadError, match="megapixels"):
        open_image(data)
    everything(data)


def seeds(tmp_path: Path) -> list[tuple[str, bytes]]:
    rows, columns = np.mgrid[:40, :60].astype(np.float32)
    depth = DepthMap((rows + columns) / 100)
    texture = np.random.default_rng(4).integers(0, 255, (40, 64, 3), np.uint8)
    left, right = Image(texture[:, :60].copy()), Image(texture[:, 4:64].copy())
    pair = StereoPair(left, right)
    packed = Image(np.hstack([right.pixels, left.pixels]))
    jpeg = encode_image(left, ".jpg")
    buffer = io.BytesIO()
    Pillow.fromarray(depth.values).save(buffer, "TIFF")
    found = [
        ("a.jpg", embed_depth(jpeg, depth, "gdepth")),
        ("a.jpg", embed_depth(jpeg, depth, "dynamic")),
        ("a.mpo", write_mpo([left, right], tmp_path / "a.mpo").read_bytes()),
        ("a.jps", write_jps(packed, tmp_path / "a.jps").read_bytes()),
        ("a.pns", write_pns(packed, tmp_path / "a.pns").read_bytes()),
        ("a.vr.jpg", write_vr_photo(pair, tmp_path / "a.vr.jpg", degrees=90).read_bytes()),
        ("a.heic", write_spatial_heic(pair, tmp_path / "a.heic").read_bytes()),
        ("a.exr", encode_exr(depth.values)),
        ("a.pfm", encode_pfm(depth.values)),
        ("a.npy", encode_npy(depth.values)),
        ("a.npz", encode_npy(depth.values, archive=True)),
        ("a.tif", buffer.getvalue()),
        ("a.png", encode_image(left, ".png")),
        ("a.webp", encode_image(left, ".webp")),
    ]
    return found


@pytest.mark.parametrize("part", range(4))
def test_two_thousand_mutants_escape_nowhere(tmp_path: Path, part: int) -> None:
    before = memory.reset_peak()
    chance = random.Random(SEED + part)
    files = seeds(tmp_path)
    for _ in range(round(500 * SHARE)):
        name, data = chance.choice(files)
        changed = mutant(data, chance)
        try:
            everything(changed, name)
        except Exception as error:
            (tmp_path / f"escape-{name}").write_bytes(changed)
            raise AssertionError(f"{name}: {type(error).__name__} {error}") from error
    assert memory.peak() - before < 2 << 20  # kB
