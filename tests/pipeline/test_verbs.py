"""The verbs of the public list take photos and clips, folders for results, and options by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import imageio.v3 as imageio
import numpy as np
import pytest

import depth3d as d3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A photo with a depth file, and a clip."""
    rows, columns = np.mgrid[0:48, 0:64]
    near = ((rows - 24) ** 2 + (columns - 32) ** 2 < 15**2).astype(np.uint8) * 200
    picture = np.dstack([columns * 3, rows * 4, near]).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "ball.png"), picture)
    cv2.imwrite(str(tmp_path / "ball_depth.png"), near)
    imageio.imwrite(tmp_path / "clip.mp4", np.stack([np.roll(picture, step, 1) for step in range(4)]), fps=8)
    return tmp_path


def test_animate_takes_a_clip(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    depth = str(folder / "ball_depth.png")
    made = d3.animate(
        folder / "clip.mp4",
        amount=3,
        look_ahead=2,
        depth=d3.DepthOptions(depth=depth),
        progress=lambda *n: seen.append(n),
    )
    assert made == folder / "clip_3d.mp4"
    assert len(imageio.imread(made)) == 4
    assert seen[-1][0] == 4
    assert d3.animate(folder / "ball.png", f"{folder}/", seconds=0.2, fps=10).name == "ball_3d.mp4"


def test_stereo_takes_options_of_clips_by_name(folder: Path) -> None:
    depth = d3.DepthOptions(depth=str(folder / "ball_depth.png"))
    made = d3.stereo(folder / "clip.mp4", format="tb", look_ahead=4, end=0.25, depth=depth)
    assert imageio.imread(made).shape[:3] == (2, 96, 64)
    assert d3.convert(folder / "clip.mp4", folder / "c.mkv", depth=depth).name == "c.mkv"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda photo: d3.stereo(photo, look_ahead=4), "look_ahead applies to clips; ball.png is a photo"),
        (lambda photo: d3.animate(photo, codec="ffv1"), "unknown option 'codec'"),
        (lambda photo: d3.animate(photo, amuont=3), "did you mean 'amount'"),
        (lambda photo: d3.animate(photo, path="swnig"), "did you mean 'swing'"),
        (lambda photo: d3.animate(photo, "x.usdz"), "'.usdz' is not a format of animations"),
        (lambda photo: d3.animate(photo, options=d3.StereoOptions()), "got StereoOptions, expected AnimateOptions"),
        (lambda photo: d3.mesh(photo, "x.fbx"), "'.fbx' is not a format of meshes"),
        (lambda photo: d3.view(photo, amount=7), "amount: 7, expected a number, 0 to 6"),
        (lambda photo: d3.stereo(photo, convergence=None), "convergence: None, expected"),
        (lambda photo: d3.check(photo, frames=0), "frames: 0, expected"),
        (lambda photo: d3.animate(photo.with_name("bal.png")), "did you mean ball.png"),
        (lambda photo: d3.animate(None), "photo: None, expected a string"),
        (lambda photo: d3.stereo(b"a\0b"), "NUL"),
    ],
)
def test_wrong_calls_name_python_arguments(
    call: Any, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("depth3d.depth.estimator.open_estimator", lambda *_, **__: pytest.fail("a network was opened"))
    with pytest.raises(d3.Depth3DError) as caught:
        call(folder / "ball.png")
    assert words in str(caught.value)
    assert "--" not in str(caught.value)
