from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import depth3d as d3
from depth3d.errors import ExistsError, InvalidInput
from depth3d.image import Size
from depth3d.pipeline.size import output_size


@pytest.mark.parametrize(
    ("wanted", "photo", "size"),
    [
        ("auto", Size(4000, 3000), Size(1920, 1440)),
        ("auto", Size(600, 401), Size(600, 400)),
        ("auto", Size(3000, 4000), Size(1440, 1920)),
        ("1080p", Size(600, 400), Size(1920, 1280)),
        ("641x481", Size(600, 400), Size(640, 480)),
    ],
)
def test_size(wanted: str, photo: Size, size: Size) -> None:
    assert output_size(wanted, photo) == size


@given(st.integers(1, 20000), st.integers(1, 20000))
def test_automatic_size_is_even_and_bounded(width: int, height: int) -> None:
    size = output_size("auto", Size(width, height))
    assert size.width % 2 == 0
    assert size.height % 2 == 0
    assert min(size) >= 2
    assert max(size) <= 1920


@pytest.mark.parametrize("wanted", ["big", "0x100", "100x", "99999x2", "-4x4"])
def test_wrong_sizes(wanted: str) -> None:
    with pytest.raises(InvalidInput, match="size"):
        output_size(wanted, Size(10, 10))


def test_unknown_option_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").touch()
    with pytest.raises(InvalidInput, match="did you mean 'amount'"):
        d3.animate(tmp_path / "x.jpg", amout=3)


def test_existing_file_is_refused_before_the_photo_is_read(tmp_path: Path) -> None:
    (tmp_path / "x_3d.mp4").write_bytes(b"mine")
    (tmp_path / "x.jpg").touch()  # not a picture
    with pytest.raises(ExistsError):
        d3.animate(tmp_path / "x.jpg")
