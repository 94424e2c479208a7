"""Pictures and clips of another shape than the screen: bars around each eye, nothing is stretched."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip
from letterboxes import frames_of
from PIL import Image as Pillow
from probed import probed

from depth3d.errors import InvalidOption
from depth3d.image import Image, Size
from depth3d.io.image.read import save_image
from depth3d.options import DepthOptions, StereoOptions, VideoOptions
from depth3d.pipeline.canvas import canvas_picture, canvas_sizes, check_canvas
from depth3d.pipeline.clip.convert import convert
from depth3d.pipeline.presets import PRESETS
from depth3d.pipeline.stereo import stereo
from depth3d.stereoformats import FORMATS


@pytest.mark.parametrize(
    ("canvas", "eye", "pixel", "expected"),
    [
        ("16:9", (640, 480), 1, ((640, 480), (854, 480))),
        ("16:9", (1080, 1920), 1, ((1080, 1920), (3414, 1920))),
        ("16:9", (4000, 1000), 1, ((4000, 1000), (4000, 2250))),
        ("16:9", (1920, 1081), 1, ((1920, 1081), (1920, 1081))),
        ("1920x1080", (640, 480), 1, ((1440, 1080), (1920, 1080))),
        ("1920x1080", (1080, 1920), 1, ((608, 1080), (1920, 1080))),
        ("1920x1080", (4000, 1000), 1, ((1920, 480), (1920, 1080))),
        ("1920x1080", (720, 576), Fraction(16, 15), ((1440, 1080), (1920, 1080))),
    ],
)
def test_the_picture_keeps_its_shape_on_a_canvas(
    canvas: str, eye: tuple[int, int], pixel: Fraction, expected: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    assert canvas_sizes(canvas, Size(*eye), Fraction(pixel)) == expected


def test_bars_are_black_and_interlaced_rows_keep_their_parity() -> None:
    rows = np.zeros((6, 4, 3), np.uint8)
    rows[1::2] = 200
    padded = canvas_picture(Image(rows), Size(4, 12), (1, 1)).pixels
    assert not padded[::2].any()
    assert padded[1::2].max(axis=(1, 2)).tolist() == [0, 200, 200, 200, 0, 0]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A 4:3 photo, white, with depth beside it."""
    save_image(Image(np.full((48, 64, 3), 255, np.uint8)), tmp_path / "photo.png")
    save_image(Image(np.full((48, 64, 3), 128, np.uint8)), tmp_path / "photo_depth.png")
    return tmp_path / "photo.png"


def bars(pixels: np.ndarray) -> list[int]:
    """Columns where a picture begins and ends, [left, right) of each."""
    bright = np.concatenate([[False], pixels.max(axis=(0, 2)) > 30, [False]])
    return np.flatnonzero(bright[1:] != bright[:-1]).tolist()


def test_a_photo_for_a_television_has_its_shape(photo: Path) -> None:
    recipe = PRESETS["3d-tv"].photo
    assert recipe is not None
    made = np.asarray(Pillow.open(stereo(photo, **recipe.options)).convert("RGB"))
    assert made.shape == (48, 86, 3)  # half side by side: each eye 43 of 86 columns, 32 of them the photo
    assert np.allclose(bars(made), [5, 37, 48, 80], atol=1)


def test_a_clip_for_a_television_fills_its_screen_and_takes_its_own_depth(tmp_path: Path, photo: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", count=3)
    recipe = PRESETS["3d-tv"].clip
    assert recipe is not None
    assert recipe.options["canvas"] == "1920x1080"
    options = StereoOptions(**{**recipe.options, "canvas": "192x108"})
    depth = DepthOptions(depth=str(photo.with_name("photo_depth.png")))
    made = convert(clip, tmp_path / "tv.mp4", stereo=options, depth=depth)
    stream = probed(made)["streams"][0]
    # A television takes the whole frame for a picture of its shape.
    shape = [stream[key] for key in ("width", "height", "sample_aspect_ratio")]
    assert shape in ([192, 108, "1:1"], [192, 108, None])
    assert np.allclose(bars(frames_of(made)[0]), [12, 84, 108, 180], atol=2)  # half as wide, amid its half


def test_a_canvas_is_refused_where_it_has_no_meaning(tmp_path: Path) -> None:
    for name in ("vr180", "quilt-portrait", "lenticular", "vr-photo", "rgbd"):
        with pytest.raises(InvalidOption, match=name):
            check_canvas("16:9", FORMATS[name])
    with pytest.raises(InvalidOption, match="16:9 or a size like 1920x1080"):
        StereoOptions(canvas="wide")
    with pytest.raises(InvalidOption, match="between 1:8 and 8:1"):
        StereoOptions(canvas="1:100")
    clip = make_clip(tmp_path / "clip.mp4", count=2)
    with pytest.raises(InvalidOption, match="cannot be combined with `size`"):
        convert(clip, stereo=StereoOptions(canvas="16:9"), video=VideoOptions(size="64x36"))
