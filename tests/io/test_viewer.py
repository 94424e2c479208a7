"""The 3D page: whole in one file, safe to share, right in a real browser."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path

import chromium
import numpy as np
import pytest
from browser import Browser
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import ExistsError, InvalidInput
from depth3d.image import Image
from depth3d.io.viewer import Page, RgbdImage, page_html, write_page

WIDTH, HEIGHT = 480, 320
NEAR_COLOR, FAR_COLOR = (199, 60, 29), (60, 90, 200)


def scene_page(**changes: object) -> Page:
    """A far gray wall with a blue square painted on it, and a near red square before its left half."""
    pixels = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    depth = np.full((HEIGHT, WIDTH), 1 / 255, np.float32)
    pixels[120:200, 140:200], depth[120:200, 140:200] = NEAR_COLOR, 1.0
    pixels[120:200, 280:340] = FAR_COLOR
    plain = Image(np.full((HEIGHT, WIDTH, 3), 128, np.uint8))
    hidden = np.zeros((HEIGHT, WIDTH), bool)
    hidden[110:210, 130:210] = True
    background = RgbdImage(plain, DepthMap(np.zeros((HEIGHT, WIDTH), np.float32)), hidden)
    settings = {"field_of_view": 40.0, "near": 1.0, "far": 10.0, "max_step": 0.05, **changes}
    return Page(RgbdImage(Image(pixels), DepthMap(depth)), background, **settings)  # type: ignore[arg-type]


def scene_of(html: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="scene">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


def middle(picture: NDArray[np.uint8], color: tuple[int, int, int]) -> NDArray[np.float64]:
    """(column, row) of the center of all pixels of about this color."""
    rows, columns = np.nonzero((np.abs(picture.astype(int) - color) < 12).all(2))
    assert len(rows) > 500, f"no {color} in the page"
    return np.array([columns.mean(), rows.mean()])


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = write_page(scene_page(), tmp_path_factory.mktemp("page") / "photo.html")
    return path.as_uri()


@pytest.mark.security
def test_the_page_is_one_file_and_fetches_nothing() -> None:
    html = page_html(scene_page())
    assert not re.findall(r"""(?:src|href|action|data)\s*=\s*["']?(?:https?:)?//""", html.split("<script>")[0])
    assert "default-src 'none'" in html
    assert "connect-src" not in html
    assert len(html) < 800_000 + 40_000
    assert "{{" not in html.split("<script>")[0]


def test_the_program_is_small_and_names_its_licence() -> None:
    text = files("depth3d").joinpath("viewer", "viewer.min.js").read_text(encoding="utf-8")
    assert len(text) < 800_000
    assert "three.js" in text[:200]
    assert "The MIT License" in text[:200]
    assert "WITHOUT WARRANTY OF ANY KIND" in text[:1500]


@pytest.mark.security
def test_what_a_person_writes_cannot_become_markup() -> None:
    html = page_html(scene_page(title='</title><script>alert(1)</script>"', description='"><b>'))
    assert "<script>alert" not in html
    assert '"><b>' not in html
    assert html.count("<script") == 2


def test_depth_goes_in_exactly_and_0_means_nothing_there() -> None:
    import cv2

    present = np.zeros((HEIGHT, WIDTH), bool)
    present[:, :100] = True
    ramp = np.tile(np.linspace(0, 1, WIDTH, dtype=np.float32), (HEIGHT, 1))
    page = scene_page()
    page = Page(
        page.photo, RgbdImage(page.photo.picture, DepthMap(ramp), present), field_of_view=40, near=1, far=9, max_step=1
    )
    background = scene_of(page_html(page))["background"]
    assert isinstance(background, dict)
    data = base64.b64decode(background["depth"].split(",", 1)[1])
    gray = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert (gray[~present] == 0).all()
    np.testing.assert_array_equal(gray[present], np.maximum(np.rint(ramp[present] * 255), 1))


def test_own_jpeg_bytes_are_used_as_they_are() -> None:
    page = scene_page()
    photo = RgbdImage(page.photo.picture, page.photo.depth, jpeg=b"\xff\xd8\xff bytes")
    scene = scene_of(page_html(Page(photo, None, field_of_view=40, near=1, far=9, max_step=1)))
    assert isinstance(scene["photo"], dict)
    assert base64.b64decode(scene["photo"]["picture"].split(",", 1)[1]) == b"\xff\xd8\xff bytes"
    assert scene["background"] is None


def test_an_existing_page_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("mine")
    with pytest.raises(ExistsError):
        write_page(scene_page(), tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text() == "mine"


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidInput, match="expected"):
        RgbdImage(Image(np.zeros((4, 4, 3), np.uint8)), DepthMap(np.zeros((4, 4), np.float32)), np.zeros((3, 4), bool))


def test_the_bundle_is_what_its_source_gives() -> None:
    source = files("depth3d").joinpath("viewer", "source")
    if shutil.which("node") is None or not source.joinpath("node_modules").is_dir():
        pytest.skip("needs node, and `npm ci` in depth3d/viewer/source")
    said = subprocess.run(
        ["node", "build.mjs", "--check"], cwd=str(source), capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr


def test_colors_are_right_and_nothing_is_complained_about(page: str) -> None:
    picture, said = chromium.shoot(f"{page}#still", 900, 600)
    assert said == ""
    for color in (NEAR_COLOR, FAR_COLOR):
        column, row = middle(picture, color).round().astype(int)
        assert np.abs(picture[row, column].astype(int) - color).max() <= 3  # JPEG
    assert np.abs(picture[100, 450].astype(int) - 128).max() <= 2


@pytest.fixture(scope="module")
def from_both_sides(page: str) -> list[NDArray[np.uint8]]:
    return [chromium.shoot(f"{page}#still&x={x}&amount=6&focus=0.5", 900, 600)[0] for x in (-1, 1)]


def test_near_and_far_part_by_the_promised_amount(from_both_sides: list[NDArray[np.uint8]]) -> None:
    left, right = from_both_sides
    wide = np.ptp(np.nonzero((np.abs(right[100].astype(int) - 128) <= 2).all(1))[0]) + 1  # the photo on the page
    near = middle(right, NEAR_COLOR) - middle(left, NEAR_COLOR)
    far = middle(right, FAR_COLOR) - middle(left, FAR_COLOR)
    # Head to the right: near things go left, far ones right, half of 6 % each; the crop enlarges by 3 %.
    assert near[0] == pytest.approx(-0.03 * wide * 1.03, abs=1)
    assert far[0] == pytest.approx(0.03 * wide * 1.03, abs=1)
    assert abs(near[1]) < 0.3
    assert abs(far[1]) < 0.3


def test_no_hole_opens_beside_the_near_square(from_both_sides: list[NDArray[np.uint8]]) -> None:
    for picture in from_both_sides:
        row = picture[int(middle(picture, NEAR_COLOR)[1])].astype(int)
        inside = np.nonzero((np.abs(row - 128) <= 3).all(1))[0]
        between = row[inside[0] : inside[-1] + 1]
        known = np.array([(128, 128, 128), NEAR_COLOR, FAR_COLOR])
        # Every pixel is one of the three colors, or a mixture of two along one of four outlines.
        off = np.abs(between[:, None] - known).max(2).min(1) > 8
        assert off.sum() <= 12


def test_the_eyes_see_near_things_crossed(page: str) -> None:
    picture, _ = chromium.shoot(f"{page}#still&mode=sbs&amount=4&focus=0.5", 900, 600)
    left, right = picture[:, 12:450], picture[:, 450:888]  # 12 pixels of page round the pictures
    near = middle(left, NEAR_COLOR)[0] - middle(right, NEAR_COLOR)[0]
    far = middle(left, FAR_COLOR)[0] - middle(right, FAR_COLOR)[0]
    assert near > 5
    assert far < -5


@pytest.mark.parametrize("mode", ["anaglyph", "depth"])
def test_other_ways_to_look(page: str, mode: str) -> None:
    picture, said = chromium.shoot(f"{page}#still&mode={mode}&focus=0.5", 900, 600)
    assert said == ""
    if mode == "depth":
        assert np.abs(picture[100, 450].astype(int) - 1).max() <= 1  # gray as in the file, not encoded again
        assert len(np.nonzero((picture[250:300] >= 254).all(2))[0]) > 2000
    else:
        assert np.abs(picture[100, 450].astype(int) - 128).max() <= 3  # equal eyes stay neutral (Dubois rows sum to 1)


def test_the_phone_s_page_keeps_everything_in_view(page: str) -> None:
    picture, said = chromium.shoot(f"{page}#still", 390, 844)
    assert said == ""
    near, far = middle(picture, NEAR_COLOR), middle(picture, FAR_COLOR)
    assert 0 < near[0] < far[0] < 390


def test_controls_have_names(page: str) -> None:
    html = chromium.dom(f"{page}#still", 900, 600)
    assert 'data-state="ready"' in html
    assert 'aria-label="A photo in 3D' in html
    assert re.search(r'data-mode="photo" aria-pressed="true"', html)
    assert html.count("<button") == html.count("</button>") >= 8
    for name in ("amount", "focus"):
        assert re.search(rf'<label>\w+ <input id="{name}"', html)


def test_without_a_graphics_card_the_first_picture_is_quick_and_a_kept_one_is_smooth() -> None:
    # Chromium draws in software here: smooth outlines take it three times as long.
    large = Image(np.full((1000, 2000, 3), 128, np.uint8))
    page = Page(
        RgbdImage(large, DepthMap(np.zeros((100, 200), np.float32))), None, field_of_view=40, near=1, far=10, max_step=1
    )
    smooth = "document.getElementById('picture').getContext('webgl2').getContextAttributes().antialias"
    with tempfile.TemporaryDirectory() as folder, Browser(900, 600) as browser:
        browser.before(
            "window.sides = []; const make = window.createImageBitmap; window.createImageBitmap ="
            " (image, how) => { sides.push(how.resizeWidth, how.resizeHeight); return make(image, how); };"
        )
        address = write_page(page, Path(folder, "photo.html")).as_uri()
        browser.open(address)
        assert browser.run(smooth) is False
        assert browser.run("sides") == [1600, 800]
        assert np.abs(browser.picture()[200, 450].astype(int) - 128).max() <= 2
        browser.open(f"{address}?kept#still")
        assert browser.run(smooth) is True
        assert browser.run("sides") == []
        assert browser.problems == []
