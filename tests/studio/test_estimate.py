"""The estimate of how long an output takes: grows with the work, learns from what was written."""

from __future__ import annotations

import pytest

from depth3d.studio.estimate import Estimate, work_of

PHOTO = {"kind": "photo", "width": 4000, "height": 3000}
CLIP = {"kind": "clip", "width": 1280, "height": 720, "frames": 240}


def test_work_follows_frames_and_pixels() -> None:
    kind, work = work_of("animate", ".mp4", {}, PHOTO)
    assert kind == "animate"
    assert work == pytest.approx(180 * (0.2 + 1920 * 1440 / 1e6))
    assert work_of("animate", ".mp4", {"seconds": 3.0}, PHOTO)[1] == pytest.approx(work / 2)
    assert work_of("animate", ".mp4", {"fps": "60"}, PHOTO)[1] == pytest.approx(work * 2)
    assert work_of("animate", ".gif", {}, PHOTO)[1] == pytest.approx(180 * (0.2 + 480 * 360 / 1e6))
    assert work_of("stereo", "sbs", {}, PHOTO) == ("stereo", pytest.approx(14))


def test_every_output_of_a_clip_counts_its_frames() -> None:
    kind, work = work_of("stereo", "sbs", {}, CLIP)
    assert (kind, work) == ("clip", pytest.approx(240 * (0.2 + 0.9216)))
    assert work_of("depth", ".png", {"size": "640x360"}, CLIP)[1] == pytest.approx(240 * (0.2 + 0.2304))


def test_it_learns() -> None:
    estimate = Estimate()
    first = estimate.seconds("mesh", 10)
    for _ in range(8):
        estimate.learn("mesh", 10, 10 * first)
    assert estimate.seconds("mesh", 10) == pytest.approx(10 * first, rel=0.01)
    other = estimate.seconds("view", 10)
    estimate.learn("view", 0.0, 5)
    assert estimate.seconds("view", 10) == other
