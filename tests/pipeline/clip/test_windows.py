"""Floating windows of clips: measured once a shot, drawn in every layout, amid the black bars of the source."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from letterboxes import frames_of, write

import depth3d.depth.estimator
from depth3d.depthmap import DepthMap, Disparity
from depth3d.errors import InvalidInput
from depth3d.frames import Frame
from depth3d.image import Image, Size
from depth3d.options import StereoOptions, VideoOptions
from depth3d.pipeline.clip.bars import Bars
from depth3d.pipeline.clip.convert import convert
from depth3d.pipeline.clip.renderers import StereoRenderer, StereoStrength
from depth3d.pipeline.clip.shots import Shot, ShotList, read_shots, write_shots
from depth3d.pipeline.stereo import clip_runs
from depth3d.stereoformats import find_format

WIDTH, HEIGHT = 200, 120
BOTH = (5.0, 3.0)  # percent: 10 and 6 px


def texture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(60, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def drawn(name: str, window: tuple[float, float]) -> np.ndarray:
    with StereoRenderer(Size(WIDTH, HEIGHT), StereoOptions(format=name), find_format(name)) as renderer:
        frame = Frame(0, Fraction(0), Image(texture()))
        flat = DepthMap(np.full((HEIGHT, WIDTH), 0.5, np.float32))
        return renderer.draw(renderer.prepare(frame, flat, StereoStrength(2.0, 0.5, window))).pixels


@pytest.mark.parametrize("name", ["sbs", "cross", "tb", "sbs-half", "anaglyph", "rows"])
def test_every_layout_shows_the_bars_of_its_eyes(name: str) -> None:
    """Only the left eye is black at the left, only the right one at the right; nothing else changes."""
    expected, found = drawn(name, (0.0, 0.0)).copy(), drawn(name, BOTH)
    parts = {
        "sbs": [(slice(0, HEIGHT), slice(0, 10)), (slice(0, HEIGHT), slice(2 * WIDTH - 6, 2 * WIDTH))],
        "cross": [(slice(0, HEIGHT), slice(WIDTH - 6, WIDTH + 10))],
        "tb": [(slice(0, HEIGHT), slice(0, 10)), (slice(HEIGHT, 2 * HEIGHT), slice(WIDTH - 6, WIDTH))],
        "sbs-half": [(slice(0, HEIGHT), slice(0, 5)), (slice(0, HEIGHT), slice(WIDTH - 3, WIDTH))],
        "rows": [(slice(0, HEIGHT, 2), slice(0, 10)), (slice(1, HEIGHT, 2), slice(WIDTH - 6, WIDTH))],
    }
    if name == "anaglyph":  # red is the left eye's, the others are the right one's
        assert found[:, :10, 0].max() < 60
        assert found[:, -6:, 1:].max() < 60
        np.testing.assert_array_equal(found[:, 10:-6], expected[:, 10:-6])
        return
    for rows, columns in parts[name]:
        assert expected[rows, columns].min() > 0
        expected[rows, columns] = 0
    np.testing.assert_array_equal(found, expected)


def test_a_shot_gets_the_widest_window_that_one_of_its_frames_needs() -> None:
    shots = ShotList(
        [
            Shot(Fraction(0), Fraction(2), parallax=4.0, convergence=0.25),
            Shot(Fraction(2), Fraction(4), parallax=4.0, convergence=0.25, window=(0.0, 1.0)),
        ],
        StereoStrength(2.0, 0.5),
    )
    borders: list[tuple[Fraction | None, tuple[float, float]]] = [
        (Fraction(0), (0.5, 0.1)),
        (Fraction(1), (0.75, 0.29)),
        (Fraction(3), (1.0, 1.0)),
        (Fraction(5), (0.9, 1.0)),
    ]
    found = shots.with_windows(borders)
    assert found.strength(Fraction(1)).window == (2.0, 0.0)  # 0.16 % at the right is too little
    assert found.strength(Fraction(3)).window == (0.0, 1.0)  # its own
    assert found.strength(Fraction(9)).window == (0.8, 1.0)
    assert shots.worst_violation(borders) == pytest.approx(2.0)  # that of the first: the second has a window
    for_all = shots.with_windows([(None, (1.0, 0.0))])
    assert for_all.strength(Fraction(1)).window == (3.0, 0.0)
    assert for_all.strength(Fraction(9)).window == (1.0, 0.0)


def test_the_file_of_shots_holds_windows(tmp_path: Path) -> None:
    shots = [Shot(Fraction(0), Fraction(1), window=(1.25, 0.0)), Shot(Fraction(1), Fraction(2))]
    write_shots(shots, tmp_path / "s.toml", "a.mp4")
    found = read_shots(tmp_path / "s.toml", StereoStrength(2.0, 0.5))
    assert [shot.window for shot in found.shots] == [(1.25, 0.0), None]


@pytest.mark.parametrize("window", ["3", "[1]", "[1, 2, 3]", "[true, 1]", '["1", 2]', "[-1, 0]", "[0, 26]", "[nan, 0]"])
def test_wrong_windows_are_named(window: str, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(f"[[shot]]\nstart = 0\nend = 1\nwindow = {window}\n")
    with pytest.raises(InvalidInput, match=r"shot 1: window is .*expected two numbers, 0 to 25"):
        read_shots(tmp_path / "s.toml", StereoStrength(2.0, 0.5))


class NearAtTheLeft:
    """Depth by place: the leftmost fifth of the picture is near, the rest far."""

    card = SimpleNamespace(frames=1)

    def predict(self, images: Iterable[Image]) -> list[Disparity]:
        values = np.where(np.arange(60) < 12, 1.0, 0.0) + np.linspace(0, 0.01, 36)[:, None]
        return [Disparity(values.astype(np.float32)) for _ in images]


@pytest.fixture
def near_at_the_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depth3d.depth.estimator, "open_estimator", lambda *_, **__: NearAtTheLeft())


@pytest.mark.usefixtures("near_at_the_left")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, True),
        ({"floating_window": True}, False),
        ({"format": "rgbd"}, False),
        ({"parallax": 0.5}, False),
    ],
)
def test_a_window_violation_is_told(
    options: dict[str, Any], told: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = write(tmp_path / "a.mkv", [texture(n) for n in range(4)])
    stereo = StereoOptions(**{"parallax": 2.0, "convergence": 0.5, **options})
    convert(source, tmp_path / "out.mkv", stereo=stereo, video=VideoOptions(codec="ffv1"))
    found = [record.getMessage() for record in caplog.records if "window violation" in record.getMessage()]
    assert len(found) == told
    assert not told or "are 1.0 % in front of the screen; `floating_window=True` avoids it" in found[0]


def converted(source: Path, **options: Any) -> np.ndarray:
    stereo = StereoOptions(parallax=8.0, convergence=0.5, **options)
    target = source.with_name("out.mkv")
    convert(source, target, stereo=stereo, video=VideoOptions(codec="ffv1"))
    return frames_of(target)[2]


@pytest.mark.usefixtures("near_at_the_left")
@pytest.mark.parametrize("bars", [Bars(), Bars(left=30, right=30)])
def test_the_bar_begins_where_the_picture_does(bars: Bars, tmp_path: Path) -> None:
    """Half of 8 % of the width is before the screen: a bar of 4 %, beside the pillarbox."""
    inner = [np.pad(texture(n), ((0, 0), (bars.left, bars.right), (0, 0))) for n in range(4)]
    source = write(tmp_path / "a.mkv", inner)
    whole = WIDTH + bars.left + bars.right
    left, right = np.split(converted(source, floating_window=True), 2, axis=1)
    level = left.mean(axis=(0, 2))
    black = int(np.argmax(level > 20))
    assert black == pytest.approx(bars.left + 0.04 * whole, abs=1)
    other = int(np.argmax(right.mean(axis=(0, 2)) > 20))
    assert other == bars.left
    assert right[:, : whole - bars.right].mean(axis=(0, 2))[-1] > 20  # what is far needs no bar


@pytest.mark.usefixtures("near_at_the_left")
def test_a_preview_shows_the_windows_and_the_subject_at_the_screen(tmp_path: Path) -> None:
    from depth3d.options import DepthOptions, StabilizeOptions
    from depth3d.pipeline.clip.job import plan_job
    from depth3d.pipeline.clip.output import Product
    from depth3d.pipeline.clip.strength import ShotStrength

    source = write(tmp_path / "a.mkv", [texture(n) for n in range(4)])
    job = plan_job(source, DepthOptions(), StabilizeOptions(), VideoOptions())
    values = np.full((36, 60), 0.1, np.float32)
    values[9:30, 20:40], values[:, :2] = 0.6, 1.0
    depth = DepthMap(values)
    frame = Frame(0, Fraction(0), Image(texture()))
    stereo = StereoOptions(parallax=8.0, convergence="auto", floating_window=True)
    found = ShotStrength(job, Product("stereo", stereo), force=False).of_frame(frame, depth)
    assert found.convergence == pytest.approx(0.6, abs=0.05)
    assert found.window == (pytest.approx((1 - found.convergence) * 8, abs=0.01), 0.0)
    plain = ShotStrength(job, Product("stereo", StereoOptions(parallax=8.0)), force=False).of_frame(frame, depth)
    assert plain == StereoStrength(8.0, 0.5)


def test_automatic_convergence_keeps_the_limit_before_the_screen(caplog: pytest.LogCaptureFixture) -> None:
    for convergence, told in ((0.5, True), ("auto", False)):
        caplog.clear()
        clip_runs(Path("a.mp4"), None, StereoOptions(parallax=3.0, convergence=convergence))  # type: ignore[arg-type]
        assert any("nearest point" in record.message for record in caplog.records) == told
