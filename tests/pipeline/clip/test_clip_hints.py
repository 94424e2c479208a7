"""Strokes on frames of a clip: tracked through the scene, applied to every frame, resumable."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import write_clip

from depth3d.depth.temporal.strokes import move_strokes
from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError
from depth3d.hints import Hints, Stroke
from depth3d.io.depth.write import write_depth
from depth3d.io.video.hints import KeyHints, clip_hints_beside, read_clip_hints, write_clip_hints
from depth3d.io.video.reader import VideoReader
from depth3d.options import DepthOptions, StabilizeOptions, VideoOptions
from depth3d.pipeline.clip.convert import convert
from depth3d.pipeline.clip.depth_files import given_depth
from depth3d.pipeline.clip.hints import _scene_starts
from depth3d.pipeline.clip.job import plan_job

WIDTH, HEIGHT, COUNT, STEP = 192, 108, 16, 3
RATE = Fraction(12)
CODEC = VideoOptions(codec="ffv1")


def frame(index: int, scene: int = 0) -> np.ndarray:
    """A textured square that moves to the right over a textured wall."""
    rng = np.random.default_rng(scene)
    wall = np.kron(rng.integers(0, 110, (27, 48, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
    square = np.kron(rng.integers(195, 225, (12, 12, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
    left = 20 + STEP * index
    wall[30:78, left : left + 48] = square
    return wall if scene == 0 else 255 - wall


def square_left(index: int) -> int:
    return 20 + STEP * index


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes of ``COUNT`` frames."""
    path = tmp_path_factory.mktemp("hinted") / "clip.mkv"
    return write_clip(path, [frame(index, scene) for scene in (0, 7) for index in range(COUNT)], rate=RATE)


def on_the_square(index: int) -> Stroke:
    """A stroke along the middle of the square that brings it nearer."""
    x = (square_left(index) + np.array([16, 24, 32])) / WIDTH
    return Stroke("value", np.stack([x, np.full(3, 0.5)], axis=1).astype(np.float32), 0.03, 0.9)


def test_strokes_move_with_what_they_lie_on() -> None:
    strokes: tuple[Stroke, ...] = (on_the_square(0),)
    for index in range(8):
        strokes = move_strokes(strokes, frame(index), frame(index + 1))
    assert np.abs(strokes[0].points - on_the_square(8).points).max() * WIDTH < 1.5
    for index in range(8, 0, -1):
        strokes = move_strokes(strokes, frame(index), frame(index - 1))
    assert np.abs(strokes[0].points - on_the_square(0).points).max() * WIDTH < 2


def test_what_leaves_the_picture_is_dropped() -> None:
    wide = np.tile(frame(0), (1, 2, 1))
    stroke = Stroke("nearer", np.array([[0.005, 0.5], [0.4, 0.6], [0.6, 0.4]], np.float32))
    (moved,) = move_strokes((stroke,), wide[:, 40 : 40 + WIDTH], wide[:, 44 : 44 + WIDTH])
    np.testing.assert_allclose(moved.points * [WIDTH, HEIGHT], (stroke.points * [WIDTH, HEIGHT] - [4, 0])[1:], atol=0.5)
    assert move_strokes((), frame(0), frame(1)) == ()


def test_the_file_is_read_as_it_was_written(tmp_path: Path, clip: Path) -> None:
    keys = (KeyHints(Fraction(1, 3), Hints((on_the_square(4),))), KeyHints(Fraction(1), Hints()))
    path = write_clip_hints(keys, tmp_path / "clip_hints.json")
    found = read_clip_hints(path)
    assert [float(key.time) for key in found] == pytest.approx([1 / 3, 1], abs=1e-5)
    np.testing.assert_allclose(found[0].hints.strokes[0].points, on_the_square(4).points, atol=1e-5)
    assert clip_hints_beside(tmp_path / "clip.mkv") == path
    path.write_text('{"format": "depth3d hints", "strokes": []}')
    assert clip_hints_beside(tmp_path / "clip.mkv") is None
    for text in ("[]", "{", '{"format": "depth3d clip hints"}', '{"format": "depth3d clip hints", "frames": [1]}'):
        path.write_text(text)
        with pytest.raises(ReadError, match="hint file of a clip"):
            read_clip_hints(path)
    path.write_text(json.dumps({"format": "depth3d clip hints", "frames": [{"time": "1", "strokes": []}]}))
    with pytest.raises(ReadError, match="expected seconds"):
        read_clip_hints(path)


def depths(path: Path) -> list[np.ndarray]:
    with VideoReader(path) as reader:
        return [one.image.pixels[..., 0] / np.float32(np.iinfo(one.image.pixels.dtype).max) for one in reader]


def test_every_frame_of_the_scene_is_repaired_and_no_other(tmp_path: Path, clip: Path) -> None:
    """The depth file is flat; a stroke on frame 8 brings the square to 0.9 in its scene, forwards and backwards."""
    flat = write_depth(DepthMap(np.full((HEIGHT, WIDTH), 0.2, np.float32)), tmp_path / "flat.png")
    hints = write_clip_hints((KeyHints(8 / RATE, Hints((on_the_square(8),))),), tmp_path / "h.json")
    options = DepthOptions(depth=str(flat), hints=str(hints))
    found = depths(convert(clip, tmp_path / "d.mkv", only_depth=True, depth=options, video=CODEC))
    assert len(found) == 2 * COUNT
    for index in range(COUNT):
        left = square_left(index)
        inner = found[index][36:72, left + 6 : left + 42]
        assert np.median(inner) == pytest.approx(0.9, abs=0.05), index
        assert np.median(found[index][:24]) == pytest.approx(0.2, abs=0.03), index
    for index in range(COUNT, 2 * COUNT):
        assert np.abs(found[index] - 0.2).max() < 0.01, index


def test_strokes_beside_the_clip_are_found_and_can_be_ignored(tmp_path: Path, clip: Path) -> None:
    copy = tmp_path / "clip.mkv"
    copy.write_bytes(clip.read_bytes())
    write_clip_hints((KeyHints(Fraction(0), Hints((on_the_square(0),))),), tmp_path / "clip_hints.json")
    flat = str(write_depth(DepthMap(np.full((HEIGHT, WIDTH), 0.2, np.float32)), tmp_path / "flat.png"))
    video = VideoOptions(codec="ffv1", end="0.3")
    with_them = depths(convert(copy, tmp_path / "a.mkv", only_depth=True, depth=DepthOptions(depth=flat), video=video))
    ignored = DepthOptions(depth=flat, hints="none")
    without = depths(convert(copy, tmp_path / "b.mkv", only_depth=True, depth=ignored, video=video))
    assert with_them[3].max() > 0.8
    assert without[3].max() < 0.21


def test_a_stopped_run_goes_on_with_the_same_strokes(tmp_path: Path, clip: Path) -> None:
    flat = str(write_depth(DepthMap(np.full((HEIGHT, WIDTH), 0.2, np.float32)), tmp_path / "flat.png"))
    hints = write_clip_hints((KeyHints(Fraction(0), Hints((on_the_square(0),))),), tmp_path / "h.json")
    options = DepthOptions(depth=flat, hints=str(hints))
    whole = depths(convert(clip, tmp_path / "w.mkv", only_depth=True, depth=options, video=CODEC))

    def stop(stage: str, done: int, total: int) -> None:
        if done >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(clip, tmp_path / "s.mkv", only_depth=True, depth=options, video=CODEC, progress=stop)
    assert (tmp_path / ".s.mkv.depth3d" / "hints" / "strokes.json").is_file()
    resumed = depths(convert(clip, tmp_path / "s.mkv", only_depth=True, depth=options, video=CODEC))
    assert all(np.array_equal(a, b) for a, b in zip(whole, resumed, strict=True))
    assert not (tmp_path / ".s.mkv.depth3d").exists()


@pytest.mark.parametrize("fps", [None, 6, 8, 24])
@pytest.mark.parametrize("start", [None, "0.5"])
def test_scenes_begin_where_the_new_frame_rate_shows_them(
    clip: Path, tmp_path: Path, fps: int | None, start: str | None
) -> None:
    """With given depth, whose scenes are not known: the first frame that looks like the second scene."""
    depth = tmp_path / "depth.png"
    write_depth(DepthMap(np.full((HEIGHT, WIDTH), 0.5, np.float32)), depth)
    video = VideoOptions(codec="ffv1", fps=fps, start=start)
    job = plan_job(clip, DepthOptions(depth=str(depth)), StabilizeOptions(), video)
    brightness = [frame.image.pixels.mean() for frame in job.frames()]
    second = next(number for number, mean in enumerate(brightness) if mean > 128)
    assert _scene_starts(job, given_depth(depth, job)) == {0, second}
