"""The made clips are what they claim, and stable depth on a small one is as good as the big measurement says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from depth3d.options import StabilizeOptions

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def measure() -> Iterator[ModuleType]:
    if not (EXAMPLES / "measure_temporal.py").is_file():
        pytest.skip("the examples are not beside the tests")
    sys.path.insert(0, str(EXAMPLES))
    try:
        import measure_temporal

        yield measure_temporal
    finally:
        sys.path.remove(str(EXAMPLES))


@pytest.mark.parametrize("kind", ["slide", "dolly", "walkers", "zoom", "roll"])
def test_the_true_flow_leads_to_the_same_thing_in_the_frame_before(measure: ModuleType, kind: str) -> None:
    clip = measure.render(kind, 6, 160, 90)
    assert clip.seen[1:].mean() > 0.85
    for k in range(1, 6):
        place = clip.seen[k] & ~cv2.dilate(np.uint8(~clip.seen[k]), np.ones((3, 3), np.uint8)).astype(bool)
        led = np.stack([measure.warp(clip.color[k - 1][..., c], clip.flow[k]) for c in range(3)], axis=-1)
        followed = np.abs(led - clip.color[k])[place].mean()
        unmoved = np.abs(clip.color[k - 1].astype(float) - clip.color[k])[place].mean()
        assert followed < 0.9 * unmoved


@pytest.mark.parametrize("kind", ["dolly", "cut"])
def test_flicker_and_error_fall(measure: ModuleType, kind: str) -> None:
    clip = measure.render(kind, 24, 160, 90)
    raw = measure.network_noise(clip.depth, 3)
    before = measure.measure(raw, clip)
    after = measure.measure(measure.stable(clip.color, raw, StabilizeOptions()), clip)  # 24 frames: little to average
    assert after["flicker"] < before["flicker"] / 6
    assert after["AbsRel"] < 0.85 * before["AbsRel"]
    assert after["pump"] < before["pump"] / 4
