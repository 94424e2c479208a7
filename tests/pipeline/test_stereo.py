"""Photos into every stereo format from one depth; own eyes of stereo pictures; targets, strength, window."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image as Pillow
from stereoscenes import scene_pair, texture

from depth3d.cli.anaglyph import command as anaglyph_command
from depth3d.cli.stereo import command
from depth3d.depthmap import DepthMap
from depth3d.errors import ExistsError, InvalidInput
from depth3d.image import Image, Size
from depth3d.io.image.read import open_image, save_image
from depth3d.io.stereo.detect import read_stereo
from depth3d.options import DepthOptions, StereoOptions
from depth3d.pipeline.comfort import auto_convergence, border_disparity, floating_window, rig_of
from depth3d.pipeline.filenames import stereo_targets
from depth3d.pipeline.multiview import interlace, lenticular_size, pitch_test, quilt, quilt_grid
from depth3d.pipeline.stereo import clip_runs, stereo
from depth3d.render.warp.sphere import to_sphere
from depth3d.stereoformats import FORMATS
from depth3d.stereopair import StereoPair, Viewing


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo of 96x64 with its depth beside it: the right half near."""
    save_image(Image(texture(96, 64)), tmp_path / "photo.png")
    depth = np.zeros((64, 96, 3), np.uint8)
    depth[16:48, 30:66] = 255
    save_image(Image(depth), tmp_path / "photo_depth.png")
    return tmp_path / "photo.png"


SIZES = {
    "sbs": (192, 64),
    "sbs-half": (96, 64),
    "cross": (192, 64),
    "tb": (96, 128),
    "tb-half": (96, 64),
    "rows": (96, 64),
    "columns-right": (96, 64),
    "checkerboard": (96, 64),
    "red-cyan": (96, 64),
    "jps": (192, 64),
    "pns": (192, 64),
    "rgbd": (192, 64),
    "mpo": (96, 64),
    "wiggle-gif": (96, 64),
    "wiggle-webp": (96, 64),
    "vr180": (2048, 1024),
}


def test_many_formats_from_one_depth(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from depth3d.pipeline.bands import PairRenderer

    rendered = []
    original = PairRenderer.draw
    monkeypatch.setattr(PairRenderer, "draw", lambda self: rendered.append(1) or original(self))
    first = stereo(photo, format=",".join(SIZES))
    assert first == photo.with_name("photo_LRF_Full_SBS.jpg")
    assert rendered == [1]
    for name, size in SIZES.items():
        card = FORMATS[name]
        with Pillow.open(photo.with_name(f"photo{card.tag}{card.suffix}")) as file:
            assert file.size == size, name


def test_the_left_picture_is_the_input_with_eyes_right(photo: Path) -> None:
    path = stereo(photo, photo.with_name("x.png"), format="sbs", eyes="right", parallax=6, convergence=0.5)
    whole = open_image(path).pixels
    np.testing.assert_array_equal(whole[:, :96], open_image(photo).pixels)
    # 96 px * 6 % * (1 - 0.5) = 2.88 px to the left for the near square, 2.88 px to the right for the wall.
    original, right = open_image(photo).pixels.astype(int), whole[:, 96:].astype(int)
    near = [np.abs(right[22:42, 34:58] - original[22:42, 34 + d : 58 + d]).mean() for d in range(-6, 7)]
    assert int(np.argmin(near)) - 6 == 3
    far = [np.abs(right[2:12, 34:58] - original[2:12, 34 + d : 58 + d]).mean() for d in range(-6, 7)]
    assert int(np.argmin(far)) - 6 == -3


def test_two_files_and_vr_photo_and_spatial_photo(photo: Path) -> None:
    stereo(photo, format="pair,vr-photo,heic")
    left, right = (open_image(photo.with_name(f"photo_{side}.jpg")) for side in "LR")
    assert left.size == right.size == Size(96, 64)
    assert read_stereo(photo.with_name("photo.vr.jpg")).size.width == 96
    assert read_stereo(photo.with_name("photo_spatial.heic")).size == Size(96, 64)


def test_wiggle_clips_show_both_eyes(photo: Path) -> None:
    path = stereo(photo, format="wiggle-mp4")
    from depth3d.io.video.reader import VideoReader

    with VideoReader(path) as reader:
        frames = [frame.image.pixels.astype(int) for frame in reader]
    assert len(frames) >= 20
    assert np.abs(frames[0] - frames[1]).mean() > 3 * np.abs(frames[0] - frames[2]).mean()


def test_nothing_is_replaced_unasked(photo: Path) -> None:
    target = photo.with_name("photo.mpo")
    target.write_bytes(b"mine")
    with pytest.raises(ExistsError):
        stereo(photo, format="sbs,mpo")
    assert not photo.with_name("photo_LRF_Full_SBS.jpg").exists()  # refused before any work
    assert stereo(photo, format="mpo", force=True) == target


def test_a_result_never_replaces_its_own_source(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="would overwrite the photo"):
        stereo_targets(tmp_path / "a.mpo", None, "mpo")


def test_suffixes_name_their_formats(tmp_path: Path) -> None:
    source = tmp_path / "a.jpg"
    for name, wanted in (("b.mpo", "mpo"), ("b.jps", "jps"), ("b.vr.jpg", "vr-photo"), ("b.gif", "wiggle-gif")):
        assert [card.name for card in stereo_targets(source, tmp_path / name, "sbs").values()] == [wanted]
    both = stereo_targets(source, tmp_path / "out.png", "tb,anaglyph")
    assert [path.name for path in both] == ["out_TBF_fulltb.jpg", "out_redcyan.png"]


def test_own_eyes_of_a_stereo_picture_are_aligned_and_centred(tmp_path: Path) -> None:
    pair = scene_pair(320, 240, near=30, far=18)  # all far in front, and 3 px too low
    lower = Image(np.roll(pair.right.pixels, 3, axis=0))
    whole = save_image(Image(np.hstack([pair.left.pixels, lower.pixels])), tmp_path / "old.png")
    path = stereo(whole, tmp_path / "new.png", format="sbs")
    from depth3d.pipeline.check.measure import check

    report = check(path)
    assert report.vertical_worst < 0.3
    # The middle between near (30) and far (18) lies on the screen now: 6 px before and behind, of about 296.
    assert report.nearest == pytest.approx(6 / 296 * 100, abs=0.5)
    assert report.farthest == pytest.approx(-6 / 296 * 100, abs=0.5)


def test_a_given_depth_makes_new_eyes(tmp_path: Path) -> None:
    pair = scene_pair()
    whole = save_image(Image(np.hstack([pair.left.pixels, pair.right.pixels])), tmp_path / "old.png")
    depth = save_image(Image(np.zeros((240, 640, 3), np.uint8)), tmp_path / "d.png")
    path = stereo(whole, tmp_path / "new.png", depth=DepthOptions(depth=str(depth)))
    assert open_image(path).size == Size(1280, 240)


def test_loud_settings_warn_and_stay(photo: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="depth3d.stereo"):
        stereo(photo, parallax=5, convergence=0.2)
    assert sum("comfort limit" in record.message for record in caplog.records) == 2
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="depth3d.stereo"):
        stereo(photo, force=True)
    assert not caplog.records


def test_arc_minutes_become_percent() -> None:
    options = StereoOptions(screen="55in", distance="2.5m", arc_minutes=30)
    assert rig_of(options, 16 / 9).parallax == pytest.approx(Viewing.parse("55in", "2.5m").percent(30))
    with pytest.raises(InvalidInput, match="belongs together"):
        rig_of(StereoOptions(screen="55in"), 1)
    with pytest.raises(InvalidInput, match="arc_minutes needs"):
        rig_of(StereoOptions(arc_minutes=30), 1)


def test_auto_convergence_lies_at_the_subject() -> None:
    values = np.full((90, 120), 0.1, np.float32)
    values[30:90, 45:80] = 0.72
    values[80:, :] = 0.95  # a strip of ground in front is not the subject
    assert auto_convergence([DepthMap(values)], 2.0) == pytest.approx(0.72, abs=0.05)
    assert auto_convergence([DepthMap(np.full((50, 50), 0.4, np.float32))], 2.0) == pytest.approx(0.4, abs=0.02)
    assert rig_of(StereoOptions(convergence="auto"), 1.5, DepthMap(values)).convergence == pytest.approx(0.72, abs=0.05)


def test_auto_convergence_keeps_near_things_comfortable() -> None:
    """At most 1 % of the width in front of the screen for the nearest twentieth, however strong the 3D is."""
    values = np.full((100, 100), 0.5, np.float32)
    values[:, 90:] = 1.0  # a tenth of the picture is as near as can be; the subject is at 0.5
    for parallax, wanted in ((0.0, 0.5), (1.0, 0.5), (2.0, 0.5), (4.0, 0.75), (10.0, 0.9)):
        found = auto_convergence([DepthMap(values)], parallax)
        assert found == pytest.approx(wanted, abs=1 / 64)
        assert (1 - found) * parallax <= 1 + parallax / 64
    values[:, 96:] = 0.5  # less than a twentieth is not worth moving the screen for
    values[:, 90:] = np.where(np.arange(10) < 6, 0.5, 1.0)
    assert auto_convergence([DepthMap(values)], 10.0) == pytest.approx(0.5, abs=1 / 64)


def test_the_window_comes_forward_where_near_things_touch_it() -> None:
    disparity = np.full((40, 100), -2, np.float32)
    disparity[:, :10] = 5
    assert border_disparity(disparity) == (5, 0)
    white = Image(np.full((40, 100, 3), 255, np.uint8))
    masked = floating_window(StereoPair(white, white), disparity)
    assert masked.left.pixels[:, :5].max() == 0
    assert masked.left.pixels[:, 5:].min() == 255
    assert masked.right.pixels.min() == 255
    disparity[:, :10] = 0.19  # percent: little enough to be left alone, as `fix` and clips do
    assert floating_window(StereoPair(white, white), disparity).left.pixels.min() == 255


def test_guesses_at_the_edge_are_no_window_violation() -> None:
    """A tenth of the rows is guessed to be far in front; a wall that the frame cuts off is seen by both eyes inside."""
    disparity, sure = np.zeros((100, 200), np.float32), np.ones((100, 200), bool)
    disparity[40:50, :30], sure[40:50, :30] = 12, False
    assert border_disparity(disparity, sure=sure) == (0, 0)
    assert border_disparity(disparity) == (12, 0)
    disparity[40:50, -30:], sure[40:50, -4:] = 12, False
    assert border_disparity(disparity, sure=sure) == (0, 12)
    wall = np.full((100, 200), 20, np.float32)
    assert border_disparity(wall, sure=np.arange(200)[None] >= np.full((100, 1), 20)) == (20, 20)


def test_quilts_begin_at_the_bottom_left() -> None:
    views = [Image(np.full((4, 6, 3), number * 10, np.uint8)) for number in range(6)]
    whole = quilt(iter(views), 3, 2, Size(6, 4), (0, 0))
    assert whole.size == Size(18, 8)
    assert [int(whole.pixels[7, x, 0]) for x in (0, 6, 12)] == [0, 10, 20]
    assert [int(whole.pixels[0, x, 0]) for x in (0, 6, 12)] == [30, 40, 50]
    for name in ("quilt-portrait", "quilt-go", "quilt-16", "quilt-32"):
        columns, rows, aspect = quilt_grid(FORMATS[name])
        assert columns * rows >= 45
        assert 0.5 < aspect < 2


def test_lenticular_columns_follow_the_pitch_and_are_mirrored_under_each_lens() -> None:
    views = [Image(np.full((4, 8, 3), number, np.uint8)) for number in range(10)]
    print_ = interlace(iter(views), 10, Size(100, 4), lpi=60, dpi=600)
    assert print_.pixels[0, :20, 0].tolist() == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0] * 2
    # A measured pitch that is not whole must not drift: after 601 columns of 60.1 lpi all lenses are counted.
    fine = interlace(iter(views), 10, Size(6000, 4), lpi=60.1, dpi=600)
    lenses = np.sum(np.diff(fine.pixels[0, :, 0].astype(int)) > 5)
    assert lenses == pytest.approx(601, abs=1)
    assert lenticular_size(Size(300, 200), 6 * 0.0254, 600) == Size(3600, 2400)
    with pytest.raises(InvalidInput, match="megapixels"):
        lenticular_size(Size(300, 200), 5.0, 2400)


@pytest.mark.parametrize("name", ["pitch-test", "lenticular"])
def test_prints_know_their_dots_per_inch(photo: Path, tmp_path: Path, name: str) -> None:
    """Without them programs print at 72 or 96 dots per inch: every lens would see the wrong columns."""
    options = StereoOptions(format=name, dpi=300, print_width="1in", views=4)
    path = stereo(photo, tmp_path / "print.png", options)
    with Pillow.open(path) as print_:
        assert print_.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        assert print_.width == 300


def test_the_pitch_strip_has_lines_of_the_pitches_around() -> None:
    strip = pitch_test(0.1, lpi=60, dpi=600).pixels[..., 0]
    row = strip[strip.shape[0] // 2, 400:]
    assert set(np.unique(row)) == {0, 255}
    assert np.sum(np.diff(row.astype(int)) != 0) / 2 / len(row) * 600 == pytest.approx(60, rel=0.01)


def test_a_flat_picture_stands_where_it_should_on_the_sphere() -> None:
    white = Image(np.full((90, 160, 3), 255, np.uint8))
    sphere = to_sphere(white, Size(360, 360), span=(180, 180), across=60).pixels[..., 0]
    middle = np.flatnonzero(sphere[180] > 128)
    assert (middle[0], middle[-1]) == (pytest.approx(120, abs=1), pytest.approx(239, abs=1))
    down = np.flatnonzero(sphere[:, 180] > 128)
    half = np.degrees(np.arctan(np.tan(np.radians(30)) * 90 / 160)) * 2
    assert (down[0], down[-1]) == (pytest.approx(180 - half, abs=1.5), pytest.approx(179 + half, abs=1.5))
    assert sphere[0].max() == 0
    marked = np.zeros((90, 160, 3), np.uint8)
    marked[:45, :80] = 255  # upper left
    quarter = to_sphere(Image(marked), Size(360, 360), span=(180, 180), across=60).pixels[..., 0]
    assert quarter[170, 150] == 255
    assert quarter[190, 150] == quarter[170, 210] == 0


def test_formats_of_clips() -> None:
    runs = clip_runs(Path("a.mp4"), Path("o.mkv"), StereoOptions(format="sbs,tb-half"))
    assert [(str(target), options.format) for target, options in runs] == [("o.mkv", "sbs,tb-half")]
    with pytest.raises(InvalidInput, match="mpo does not apply to a clip"):
        clip_runs(Path("a.mp4"), None, StereoOptions(format="mpo"))


def test_the_commands_tell_what_they_wrote(photo: Path) -> None:
    done = CliRunner().invoke(command, [str(photo), "--format", "tb,mpo", "--json", "--quiet"])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert [Path(name).name for name in facts["outputs"]] == ["photo_TBF_fulltb.jpg", "photo.mpo"]
    glasses = CliRunner().invoke(anaglyph_command, [str(photo), "--glasses", "green-magenta", "--kind", "half"])
    assert glasses.exit_code == 0, glasses.output
    assert glasses.stdout.strip().endswith("photo_greenmagenta_half.png")
    listed = CliRunner().invoke(command, ["--list-formats"])
    assert len(listed.output.splitlines()) == len(FORMATS)


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="needs ffprobe")
def test_ffprobe_sees_the_stereo_mark_of_a_pns(photo: Path) -> None:
    path = stereo(photo, format="pns")
    renamed = path.rename(path.with_suffix(".png"))
    ask = ["ffprobe", "-v", "error", "-show_frames", "-of", "json", str(renamed)]
    frame = json.loads(subprocess.run(ask, capture_output=True, check=True).stdout)["frames"][0]
    assert (frame["width"], frame["height"]) == (192, 64)
    kinds = [data.get("side_data_type") for data in frame.get("side_data_list", [])]
    assert "Stereo 3D" in kinds
