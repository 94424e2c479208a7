"""What a notebook shows."""

from __future__ import annotations

import base64
import pickle
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from depth3d.depthmap import DepthMap, Disparity
from depth3d.image import Image
from depth3d.pipeline.notebook import WrittenPath
from depth3d.stereopair import StereoPair


def pictures(html: str) -> list[np.ndarray]:
    """The pictures in some HTML, BGR(A)."""
    coded = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return [cv2.imdecode(np.frombuffer(base64.b64decode(each), np.uint8), cv2.IMREAD_UNCHANGED) for each in coded]


def test_a_picture_shows_its_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8)
    (shown,) = pictures(Image(pixels)._repr_html_())
    np.testing.assert_array_equal(shown[..., ::-1], pixels)
    deep = Image(pixels.astype(np.uint16) * 257, np.full((30, 50), 65535, np.uint16))
    (shown,) = pictures(deep._repr_html_())
    np.testing.assert_array_equal(shown[..., 2::-1], pixels)
    assert shown.shape == (30, 50, 4)


def test_large_pictures_are_shrunk() -> None:
    (shown,) = pictures(Image(np.zeros((100, 3200, 3), np.uint8))._repr_html_())
    assert shown.shape == (25, 800, 3)


def test_depth_is_shown_white_near() -> None:
    (shown,) = pictures(DepthMap(np.array([[0, 0.5, 1]], np.float32))._repr_html_())
    np.testing.assert_array_equal(shown[0, :, 0], [0, 128, 255])
    (shown,) = pictures(Disparity(np.array([[10, 30]], np.float32))._repr_html_())
    np.testing.assert_array_equal(shown[0, :, 0], [0, 255])


def test_a_pair_shows_left_then_right() -> None:
    left, right = Image(np.full((4, 4, 3), 10, np.uint8)), Image(np.full((4, 4, 3), 200, np.uint8))
    shown = pictures(StereoPair(left, right)._repr_html_())
    assert [int(each.mean()) for each in shown] == [10, 200]


@pytest.mark.parametrize(
    ("name", "element"),
    [("a.mp4", "<video"), ("a.webm", "<video"), ("a.gif", "<img"), ("a.PNG", "<img"), ("a.html", "<iframe")],
)
def test_files_show_themselves(tmp_path: Path, name: str, element: str) -> None:
    path = WrittenPath(tmp_path / name)
    path.write_bytes(b'<p>contents &amp; "more"</p>')
    html = path._repr_html_()
    assert html.startswith(element)
    if element == "<iframe":
        assert "&lt;p&gt;contents &amp;amp; &quot;more&quot;" in html
    else:
        assert base64.b64encode(path.read_bytes()).decode() in html


def test_other_files_are_named(tmp_path: Path) -> None:
    path = WrittenPath(tmp_path / "<b>.glb")
    assert path._repr_html_() == "<code>&lt;b&gt;.glb</code>"
    path.write_bytes(bytes(2_500_000))
    assert path._repr_html_() == "<code>&lt;b&gt;.glb</code> (2.5 MB)"


def test_it_is_a_path_like_any_other(tmp_path: Path) -> None:
    path = WrittenPath(tmp_path / "a.glb")
    assert isinstance(path, Path)
    assert path == tmp_path / "a.glb"
    assert pickle.loads(pickle.dumps(path)) == path
    assert (path.parent / "b").name == "b"
