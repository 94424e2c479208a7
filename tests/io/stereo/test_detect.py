"""Each stereo file written, read back by this package and by an independent reader (Pillow, exiftool)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from stereoscenes import card_scan, scene_pair

from depth3d.errors import ExistsError, InvalidInput, ReadError
from depth3d.image import Image
from depth3d.io.image.jpeg import jpeg_pictures
from depth3d.io.image.read import save_image
from depth3d.io.stereo.cards import find_card
from depth3d.io.stereo.couple import other_eye
from depth3d.io.stereo.detect import find_pair, looks_stereo, read_stereo
from depth3d.io.stereo.heic import is_spatial_heic, read_spatial_heic, write_spatial_heic
from depth3d.io.stereo.jps import read_jps, write_jps
from depth3d.io.stereo.layouts import likeness, named_layout
from depth3d.io.stereo.mpo import has_disparity_index, read_mpo, write_mpo
from depth3d.io.stereo.pns import read_pns, write_pns
from depth3d.io.stereo.vrphoto import read_vr_photo, write_vr_photo
from depth3d.stereopair import StereoPair

EXIFTOOL = shutil.which("exiftool")
needs_exiftool = pytest.mark.skipif(EXIFTOOL is None, reason="needs exiftool")


def exif(path: Path) -> dict[str, Any]:
    done = subprocess.run([str(EXIFTOOL), "-j", "-G1", "-a", str(path)], capture_output=True, check=True)
    return dict(json.loads(done.stdout)[0])


def packed(pair: StereoPair, axis: int = 1) -> Image:
    return Image(np.concatenate([pair.left.pixels, pair.right.pixels], axis))


def same(found: StereoPair, pair: StereoPair, most: float) -> None:
    for mine, theirs in ((found.left, pair.left), (found.right, pair.right)):
        assert np.abs(mine.pixels.astype(int) - theirs.pixels).mean() <= most


@pytest.fixture(scope="module")
def pair() -> StereoPair:
    return scene_pair()


@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_mpo_is_read_back_by_pillow(pair: StereoPair, tmp_path: Path, count: int) -> None:
    views = [pair.left if number % 2 == 0 else pair.right for number in range(count)]
    path = write_mpo(views, tmp_path / "x.mpo")
    with Pillow.open(path) as file:
        assert file.format == "MPO"
        assert file.n_frames == count
        for number, view in enumerate(views):
            file.seek(number)
            assert np.abs(np.asarray(file.convert("RGB")).astype(int) - view.pixels).mean() < 3
    back = read_mpo(path)
    same(back, StereoPair(views[0], views[-1]), 3)


@needs_exiftool
def test_mpo_says_what_cameras_say(pair: StereoPair, tmp_path: Path) -> None:
    tags = exif(write_mpo([pair.left, pair.right], tmp_path / "x.mpo", baseline_meters=0.065))
    assert tags["MPF0:MPFVersion"] == "0100"
    assert tags["MPF0:NumberOfImages"] == 2
    assert tags["MPImage1:MPImageType"] == tags["MPImage2:MPImageType"] == "Multi-frame Disparity"
    assert tags["MPImage1:MPImageFlags"] == "Representative image"
    assert tags["MPF0:BaselineLength"] == pytest.approx(0.065)
    assert tags["MPF0:ConvergenceAngle"] == 0
    assert tags["MPF0:MPIndividualNum"] == tags["MPF0:BaseViewpointNum"] == 1
    assert tags["IFD0:Orientation"] == "Horizontal (normal)"


def test_mpo_begins_with_exif_and_its_index_follows(pair: StereoPair, tmp_path: Path) -> None:
    data = write_mpo([pair.left, pair.right], tmp_path / "x.mpo").read_bytes()
    for start, end in jpeg_pictures(data):
        part = data[start:end]
        assert part[2:4] == b"\xff\xe1"
        assert part[6:12] == b"Exif\0\0"
        after = 4 + int.from_bytes(part[4:6], "big")
        assert part[after : after + 2] == b"\xff\xe2"
        assert part[after + 4 : after + 8] == b"MPF\0"
        assert b"JFIF" not in part[:200]


def test_mpo_refuses_one_view_and_existing_files(pair: StereoPair, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="1 views"):
        write_mpo([pair.left], tmp_path / "x.mpo")
    (tmp_path / "x.mpo").write_bytes(b"mine")
    with pytest.raises(ExistsError):
        write_mpo([pair.left, pair.right], tmp_path / "x.mpo")
    assert (tmp_path / "x.mpo").read_bytes() == b"mine"


def test_jps_and_pns_stand_crossed_by_custom(pair: StereoPair, tmp_path: Path) -> None:
    whole = packed(pair.swapped())
    same(read_jps(write_jps(whole, tmp_path / "x.jps")), pair, 3)
    same(read_pns(write_pns(whole, tmp_path / "x.pns")), pair, 0)
    same(read_pns(write_pns(packed(pair), tmp_path / "y.pns", right_first=False)), pair, 0)
    same(read_jps(write_jps(packed(pair), tmp_path / "y.jps", right_first=False)), pair, 3)
    with Pillow.open(tmp_path / "x.pns") as file:
        np.testing.assert_array_equal(np.asarray(file), whole.pixels)


@needs_exiftool
def test_exiftool_reads_the_marks_of_jps_and_pns(pair: StereoPair, tmp_path: Path) -> None:
    jps = exif(write_jps(packed(pair.swapped()), tmp_path / "x.jps"))
    assert jps["JPS:JPSLayout"] == "Side By Side"
    assert jps["JPS:JPSType"] == "Stereo"
    parallel = exif(write_jps(packed(pair), tmp_path / "y.jps", right_first=False))
    assert parallel["JPS:JPSFlags"] == "Left field first"
    pns = exif(write_pns(packed(pair.swapped()), tmp_path / "x.pns"))
    assert pns["PNG:StereoMode"] == "Cross-fuse Layout"


def test_vr_photo_comes_back(pair: StereoPair, tmp_path: Path) -> None:
    path = write_vr_photo(pair, tmp_path / "x.vr.jpg", degrees=60)
    same(read_vr_photo(path), pair, 4)
    with Pillow.open(path) as file:
        assert file.size == tuple(pair.size)


@needs_exiftool
def test_exiftool_takes_the_right_eye_out_of_a_vr_photo(pair: StereoPair, tmp_path: Path) -> None:
    path = write_vr_photo(pair, tmp_path / "x.vr.jpg", degrees=60)
    tags = exif(path)
    assert tags["XMP-GPano:FullPanoWidthPixels"] == 320 * 6
    assert tags["XMP-GPano:ProjectionType"] == "equirectangular"
    inside = subprocess.run([str(EXIFTOOL), "-b", "-XMP-GImage:ImageData", str(path)], capture_output=True, check=True)
    (tmp_path / "right.jpg").write_bytes(inside.stdout)
    with Pillow.open(tmp_path / "right.jpg") as file:
        assert np.abs(np.asarray(file).astype(int) - pair.right.pixels).mean() < 4


def test_spatial_heic_is_a_stereo_pair_for_libheif(pair: StereoPair, tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    path = write_spatial_heic(pair, tmp_path / "x.heic")
    groups = pillow_heif.open_heif(path).info["entity_groups"]
    assert [(group["type"], group["images"]) for group in groups] == [("ster", [0, 1])]
    assert is_spatial_heic(path)
    same(read_spatial_heic(path), pair, 12)  # colored noise in 4:2:0
    same(read_stereo(path), pair, 12)


@pytest.mark.parametrize(
    ("name", "size", "wanted"),
    [
        ("a_LRF_Full_SBS.jpg", (3840, 1080), ("side", False, False)),
        ("a_LR.jpg", (1920, 1080), ("side", True, False)),
        ("a_SBS.jpg", (3840, 1080), ("side", False, False)),
        ("a_half_sbs.png", (1920, 1080), ("side", True, False)),
        ("a_TBF_fulltb.jpg", (1920, 2160), ("stack", False, False)),
        ("a-tb.jpg", (1920, 1080), ("stack", True, False)),
        ("a cross.jpg", (3840, 1080), ("side", False, True)),
        ("a_RL.jpg", (3840, 1080), ("side", False, True)),
        ("albrecht.jpg", (1920, 1080), None),
        ("a_3d.jpg", (1920, 1080), None),
    ],
)
def test_names_tell_the_layout(name: str, size: tuple[int, int], wanted: tuple[str, bool, bool] | None) -> None:
    layout = named_layout(name, Image(np.zeros((size[1], size[0], 3), np.uint8)).size)
    assert (None if layout is None else (layout.packing, layout.half, layout.right_first)) == wanted


def test_packed_pictures_are_known_by_their_halves(pair: StereoPair, tmp_path: Path) -> None:
    for axis, name in ((1, "side.png"), (0, "stack.png")):
        path = save_image(packed(pair, axis), tmp_path / name)
        found = read_stereo(path)
        same(found, pair, 0)
        assert "two halves" in found.notes[0]
    crossed = save_image(packed(pair.swapped()), tmp_path / "x_cross.png")
    same(read_stereo(crossed), pair, 0)


def test_left_and_right_files_find_each_other(pair: StereoPair, tmp_path: Path) -> None:
    for left, right in (("a_L.png", "a_R.png"), ("left.png", "right.png"), ("b-Left.png", "b-Right.png")):
        save_image(pair.left, tmp_path / left)
        save_image(pair.right, tmp_path / right)
        same(read_stereo(tmp_path / right), pair, 0)
        found = find_pair(tmp_path / left)
        assert found is not None
        same(found, pair, 0)
        assert find_pair(tmp_path / right) is None  # the right file's own picture must not become the left one
    assert other_eye(tmp_path / "a_L.jpg") == (tmp_path / "a_L.jpg", tmp_path / "a_R.png")  # any suffix
    assert other_eye(tmp_path / "c_L.jpg") is None


def test_names_alone_make_no_pair(tmp_path: Path) -> None:
    one, other = scene_pair().left, scene_pair(far=20).right
    save_image(one, tmp_path / "x_L.png")
    save_image(Image(other.pixels[::-1].copy()), tmp_path / "x_R.png")
    assert find_pair(tmp_path / "x_L.png") is None


def test_an_ordinary_photo_is_no_stereo_picture(tmp_path: Path) -> None:
    skimage = pytest.importorskip("skimage.data")
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        path = save_image(Image(getattr(skimage, name)()), tmp_path / f"{name}_LR.png")
        assert find_pair(path) is None
        assert not looks_stereo(path)
    with pytest.raises(ReadError, match="no second eye"):
        read_stereo(tmp_path / "coffee_LR.png")


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"angle": -2.0, "arch": True},
        {"angle": 0.0, "gap": 0},
        {"angle": 1.0, "lid": (245, 245, 245)},
        {"angle": -1.0, "lid": (20, 20, 20)},
        {"mount": (90, 60, 40)},
    ],
    ids=["plain", "arched", "touching", "white lid", "black lid", "dark mount"],
)
def test_both_prints_of_a_scanned_card_are_found(kind: dict[str, Any]) -> None:
    pair = scene_pair(420, 380)
    card = find_card(card_scan(pair, **kind))
    assert card is not None
    assert card.angle == pytest.approx(kind.get("angle", 1.5), abs=0.35)
    assert 0.93 * 420 < card.width < 1.02 * 420
    assert (0.75 if kind.get("arch") else 0.93) * 380 < card.height < 1.02 * 380
    assert card.right[0] - card.left[0] == pytest.approx(420 + kind.get("gap", 14), abs=8)


def test_a_scanned_card_becomes_an_aligned_pair(tmp_path: Path) -> None:
    path = save_image(card_scan(scene_pair(420, 380)), tmp_path / "card.png")
    found = read_stereo(path)
    assert "stereo card" in found.notes[0]
    alike = likeness(found.left, found.right)
    assert alike.same_scene
    assert abs(alike.dy) * found.size.height < 2.5


AWKWARD = {
    "frozenpond.mpo": (640, 480),
    "sugarshack.mpo": (640, 480),
    "sugarshack_no_data.mpo": (640, 480),  # the second picture is there, only its offset is wrong
    "sugarshack_bad_mpo_header.jpg": (640, 480),
    "made_frozenpond_cross.jps": (640, 480),
    "spatial_photo.heic": (2560, 2560),
}


def test_awkward_stereo_files_of_cameras_are_read(shared: Path) -> None:
    for name, size in AWKWARD.items():
        pair = read_stereo(shared / "data/awkward" / name)
        assert tuple(pair.size) == size, name
        assert likeness(pair.left, pair.right).same_scene, name
    # Views of different sizes are refused in one line.
    with pytest.raises(ReadError, match=r"frame_size.mpo: its pictures have different sizes") as caught:
        read_stereo(shared / "data/awkward/frame_size.mpo")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["x.mpo", "x.jps", "x.pns", "x.heic", "x.jpg", "x.vr.jpg"])
@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"\xff\xd8\xff\xe2\x00\x10MPF\0garbage", b"\x89PNG\r\n\x1a\n"]
)
def test_broken_files_give_one_clear_error(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ReadError) as caught:
        read_stereo(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cut", [3, 50, 700, -2000])
def test_truncated_mpo_gives_an_error_and_no_crash(pair: StereoPair, tmp_path: Path, cut: int) -> None:
    data = write_mpo([pair.left, pair.right], tmp_path / "x.mpo").read_bytes()
    path = tmp_path / "cut.mpo"
    path.write_bytes(data[:cut])
    with pytest.raises(ReadError):
        read_stereo(path)


def test_previews_and_gain_maps_are_no_second_eye(shared: Path) -> None:
    assert not has_disparity_index((shared / "data/awkward/ultrahdr.jpg").read_bytes())
    assert find_pair(shared / "data/photos/kodak/kodim23.png") is None
