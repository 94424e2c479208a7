from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from depth3d.errors import ReadError
from depth3d.io.depth.exr import encode_exr, read_exr
from depth3d.io.depth.npy import encode_npy, read_npy
from depth3d.io.depth.pfm import encode_pfm, read_pfm
from depth3d.io.image.photofile import open_photo

FLOAT_SUFFIXES = (".npy", ".npz", ".pfm", ".exr")


def read_floats(path: Path) -> np.ndarray:
    photo = open_photo(path)
    if path.suffix == ".exr":
        return read_exr(photo)[0]
    return read_pfm(photo) if path.suffix == ".pfm" else read_npy(photo)[0]


def encode_floats(values: np.ndarray, suffix: str) -> bytes:
    if suffix == ".exr":
        return encode_exr(values)
    return encode_pfm(values) if suffix == ".pfm" else encode_npy(values, archive=suffix == ".npz")


def has_distances(path: Path) -> bool:
    return path.suffix == ".exr" and read_exr(open_photo(path))[1]


VALUES = (np.random.default_rng(3).random((37, 53)) * 9 - 2).astype(np.float32)


@pytest.mark.parametrize("suffix", FLOAT_SUFFIXES)
def test_numbers_come_back_exactly(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"depth{suffix}"
    path.write_bytes(encode_floats(VALUES, suffix))
    assert np.array_equal(read_floats(path), VALUES)
    assert not has_distances(path)


def exr(channels: list[str], values: np.ndarray, *, half: bool = False) -> bytes:
    """An uncompressed EXR file with the same values in every channel (OpenEXR file layout, version 2)."""
    height, width = values.shape
    kind = 1 if half else 2
    names = sorted(channels)
    listed = b"".join(n.encode() + b"\0" + struct.pack("<iB3xii", kind, 0, 1, 1) for n in names) + b"\0"
    box = struct.pack("<4i", 0, 0, width - 1, height - 1)
    attributes = [
        ("channels", "chlist", listed),
        ("compression", "compression", b"\0"),
        ("dataWindow", "box2i", box),
        ("displayWindow", "box2i", box),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
    ]
    head = b"v/1\x01" + struct.pack("<i", 2)
    for name, type_name, data in attributes:
        head += name.encode() + b"\0" + type_name.encode() + b"\0" + struct.pack("<i", len(data)) + data
    head += b"\0"
    row = width * (2 if half else 4) * len(names)
    start = len(head) + 8 * height
    table = b"".join(struct.pack("<Q", start + line * (8 + row)) for line in range(height))
    lines = b"".join(
        struct.pack("<ii", line, row) + values[line].astype("<f2" if half else "<f4").tobytes() * len(names)
        for line in range(height)
    )
    return head + table + lines


@pytest.mark.parametrize(
    ("channels", "distances"),
    [
        (["Z"], True),
        (["Y"], False),
        (["R", "G", "B"], False),
        (["R", "G", "B", "A", "Z"], True),
        (["ViewLayer.Depth.Z"], True),
        (["Depth.V"], True),
        (["depth"], True),
        (["disparity"], False),
        (["R"], False),
    ],
)
@pytest.mark.parametrize("half", [False, True])
def test_exr_channels_by_any_name(tmp_path: Path, channels: list[str], distances: bool, half: bool) -> None:
    path = tmp_path / "depth.exr"
    path.write_bytes(exr(channels, VALUES, half=half))
    assert has_distances(path) == distances
    assert np.allclose(read_floats(path), VALUES, atol=4e-3 if half else 0)


@pytest.mark.parametrize("order", ["<", ">"])
def test_pfm_of_both_byte_orders_with_the_bottom_row_first(tmp_path: Path, order: str) -> None:
    path = tmp_path / "depth.pfm"
    data = np.array([[1, 2, 3], [4, 5, 6]], f"{order}f4")
    path.write_bytes(b"Pf\n3 2\n%s1.0\n" % (b"-" if order == "<" else b"") + data[::-1].tobytes())
    assert read_floats(path).tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pfm", b""),
        ("a.pfm", b"Pf\n100000 100000\n-1.0\n"),
        ("a.pfm", b"Pf\n10 10\n-1.0\nshort"),
        ("a.npy", b"not numpy"),
        ("a.npy", b""),
        ("a.exr", b"v/1\x01" + b"\0" * 40),
        ("a.exr", b"nothing"),
        ("a.exr", encode_floats(VALUES, ".exr")[:600]),
    ],
)
def test_damage_is_one_line(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ReadError) as caught:
        read_floats(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.security
def test_wrong_shapes_and_objects_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "cube.npy", np.zeros((3, 4, 5)))
    with pytest.raises(ReadError, match=r"\(3, 4, 5\)"):
        read_floats(tmp_path / "cube.npy")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ReadError):
        read_floats(tmp_path / "objects.npy")
    np.save(tmp_path / "one.npy", np.ones((1, 4, 5, 1)))
    assert read_floats(tmp_path / "one.npy").shape == (4, 5)
    with pytest.raises(ReadError, match="no such file"):
        read_floats(tmp_path / "gone.pfm")


def test_pfm_files_of_both_byte_orders_agree() -> None:
    folder = Path(__file__).parents[2] / "data" / "awkward"
    little, big = (read_floats(folder / name) for name in ("little.pfm", "big.pfm"))
    assert little.shape == (24, 32)
    assert little[0, 0] == 1
    assert np.array_equal(little, big)
