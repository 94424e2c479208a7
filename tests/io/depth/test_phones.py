"""Depth inside photos as phones write it: one made file of each published layout; what cannot be read is told."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from depth3d.errors import ReadError
from depth3d.io.depth.embedded.registry import EmbeddedDepth, embedded_depth
from depth3d.io.image.photofile import open_photo

MAP = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)
XMP = b"http://ns.adobe.com/xap/1.0/\0"


def jpeg(value: int, size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Pillow.new("RGB", size, (value, value, value)).save(buffer, "JPEG")
    return buffer.getvalue()


def with_xmp(photo: bytes, body: str) -> bytes:
    packet = XMP + f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{body}</x:xmpmeta>'.encode()
    return photo[:2] + b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet + photo[2:]


def read(data: bytes, folder: Path) -> EmbeddedDepth | None:
    path = folder / "photo.jpg"
    path.write_bytes(data)
    return embedded_depth(open_photo(path))


def dynamic_depth(form: str, base: str, padding: int) -> bytes:
    """Photo, sharp original and map in a row, listed by DataURI without a Semantic."""
    original, depth = jpeg(90), jpeg(7)
    rows = [("", 0, padding), ("android/original_image", len(original), 0), ("android/depthmap", len(depth), 0)]
    items = ""
    for name, length, pad in rows:
        fields = {"Mime": "image/jpeg", "Length": length, "Padding": pad, **({"DataURI": name} if name else {})}
        if form == "attributes":
            listed = " ".join(f'Item:{key}="{value}"' for key, value in fields.items())
            items += f"<rdf:li><Container:Item {listed}/></rdf:li>"
        else:
            listed = "".join(f"<Item:{key}>{value}</Item:{key}>" for key, value in fields.items())
            items += f"<rdf:li><Container:Item>{listed}</Container:Item></rdf:li>"
    body = (
        f'<rdf:Description xmlns:Container="{base}container/" xmlns:Item="{base}item/"'
        ' xmlns:DepthMap="http://ns.google.com/photos/dd/1.0/depthmap/"'
        ' DepthMap:Format="RangeInverse" DepthMap:Near="0.3" DepthMap:Far="8" DepthMap:DepthURI="android/depthmap">'
        f"<Container:Directory><rdf:Seq>{items}</rdf:Seq></Container:Directory></rdf:Description>"
    )
    return with_xmp(jpeg(50), body) + b"\0" * padding + original + depth


@pytest.mark.parametrize("form", ["attributes", "elements"])
@pytest.mark.parametrize("padding", [0, 12])
def test_dynamic_depth_by_data_uri(form: str, padding: int, tmp_path: Path) -> None:
    found = read(dynamic_depth(form, "http://ns.google.com/photos/dd/1.0/", padding), tmp_path)
    assert found is not None
    assert found.picture == jpeg(7)
    assert found.original == jpeg(90)
    assert (found.encoding, found.near, found.far) == ("RangeInverse", 0.3, 8.0)


def huawei(turn: int, original: bytes = b"") -> bytes:
    """Wide aperture: main picture, perhaps the sharp original, then the block ``edof``; stored dark = near."""
    header = bytearray(68)
    header[7] = turn
    struct.pack_into("<HH", header, 16, MAP.shape[1], MAP.shape[0])
    return jpeg(50) + original + b"\0edof" + bytes(header) + MAP.tobytes()


@pytest.mark.parametrize(
    ("turn", "wanted"), [(0, 255 - MAP), (0x10, (255 - MAP)[::-1]), (0x12, (255 - MAP)[:, ::-1]), (0x13, (255 - MAP).T)]
)
def test_huawei_and_honor(turn: int, wanted: np.ndarray, tmp_path: Path) -> None:
    found = read(huawei(turn, jpeg(90)), tmp_path)
    assert found is not None
    np.testing.assert_array_equal(found.picture, wanted)
    assert found.original == jpeg(90)
    assert found.upright


@pytest.mark.parametrize("cut", [40, 500])
def test_a_damaged_huawei_block_is_told(cut: int, tmp_path: Path) -> None:
    whole = huawei(0)
    start = whole.index(b"\0edof\0")
    with pytest.raises(ReadError, match="Huawei or Honor"):
        read(whole[: start + cut], tmp_path)


def samsung(records: dict[str, bytes]) -> bytes:
    """A JPEG with a SEF trailer: records, their directory (SEFH), its length, SEFT."""
    blocks = b""
    places = []
    for name, content in records.items():
        block = struct.pack("<HHI", 0, 0xAB1, len(name)) + name.encode() + content
        places.append((len(blocks), len(block)))
        blocks += block
    head = b"SEFH" + struct.pack("<II", 107, len(records))
    for start, size in places:
        head += struct.pack("<HHII", 0, 0xAB1, len(blocks) - start, size)
    return jpeg(50) + blocks + head + struct.pack("<I", len(head)) + b"SEFT"


@pytest.mark.parametrize("name", ["DualShot_DepthMap_1", "SingleShot_DepthMap_10", "DualShot_DepthMap_5"])
@pytest.mark.parametrize("gap", ["<HxxH", "<HH"])
def test_samsung_gray(name: str, gap: str, tmp_path: Path) -> None:
    extra = b"\1\0\0\0" + struct.pack(gap, *MAP.shape) + bytes(12)
    found = read(samsung({"DualShot_1": jpeg(90), "DualShot_Extra_Info": extra, name: MAP.tobytes()}), tmp_path)
    assert found is not None
    np.testing.assert_array_equal(found.picture, MAP)
    assert found.original == jpeg(90)
    assert found.encoding == "Disparity"


def test_samsung_with_a_picture_as_the_map_and_without_depth(tmp_path: Path) -> None:
    found = read(samsung({"DualShot_DepthMap_1": jpeg(7)}), tmp_path)
    assert found is not None
    assert found.picture == jpeg(7)
    assert read(samsung({"Image_UTC_Data": b"1700000000000"}), tmp_path) is None


def test_depth_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="Samsung depth is inside, but its size"):
        read(samsung({"DualShot_DepthMap_1": MAP.tobytes()}), tmp_path)
    camera = (
        '<rdf:Description xmlns:MiCamera="http://ns.xiaomi.com/photos/1.0/camera/"'
        ' MiCamera:XMPMeta="&lt;depthmap offset=&quot;100&quot; length=&quot;3072&quot;/&gt;"/>'
    )
    with pytest.raises(ReadError, match="Xiaomi"):
        read(with_xmp(jpeg(50), camera) + MAP.tobytes(), tmp_path)


@pytest.mark.parametrize("form", ["attributes", "elements"])
@pytest.mark.parametrize("order", [("depth",), ("original", "depth"), ("depth", "original")])
@pytest.mark.parametrize("padding", [0, 33])
def test_items_without_length(form: str, order: tuple[str, ...], padding: int, tmp_path: Path) -> None:
    """Other prefixes than the usual ones; the last item lacks Length, as an item that runs to the end may."""
    base, parts = "http://ns.google.com/photos/dd/1.0/", {"depth": jpeg(200), "original": jpeg(90)}
    names = {"depth": "android/depthmap", "original": "android/original_image"}

    def item(fields: dict[str, object]) -> str:
        if form == "attributes":
            inside = "".join(f' q:{key}="{value}"' for key, value in fields.items())
            return f'<rdf:li rdf:parseType="Resource"><p:Item{inside}/></rdf:li>'
        inside = "".join(f"<q:{key}>{value}</q:{key}>" for key, value in fields.items())
        return f'<rdf:li rdf:parseType="Resource"><p:Item rdf:parseType="Resource">{inside}</p:Item></rdf:li>'

    items = item({"Mime": "image/jpeg", "DataURI": "primary_image"})
    for name in order:
        length = {} if name == order[-1] else {"Length": len(parts[name]), "Padding": padding}
        items += item({"DataURI": names[name], "Mime": "image/jpeg", **length})
    spaces = f'xmlns:p="{base}container/" xmlns:q="{base}item/"'
    photo = with_xmp(
        jpeg(10), f"<rdf:Description {spaces}><p:Directory><rdf:Seq>{items}</rdf:Seq></p:Directory></rdf:Description>"
    )
    found = read(photo + b"".join(parts[name] + bytes(padding) for name in order), tmp_path)
    assert found is not None
    assert found.kind == "Dynamic Depth"
    assert isinstance(found.picture, bytes)
    assert found.picture.startswith(parts["depth"])
    assert (found.original is not None) == ("original" in order)
