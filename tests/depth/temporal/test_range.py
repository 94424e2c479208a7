"""From stable inverse depth to [0, 1]: one range per scene, order kept, tails bent and not cut."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depth3d.depth.temporal.range import SceneRange, SceneRanges, Spool, Stable
from depth3d.errors import InvalidInput


def frame(index: int, scene: int, low: float, high: float) -> Stable:
    return Stable(index, scene, np.linspace(low, high, 2000, dtype=np.float32).reshape(40, 50))


def test_short_tails_are_linear_from_extreme_to_extreme() -> None:
    ranges = SceneRanges()
    ranges.add(frame(0, 0, -1, 2))
    ranges.add(frame(1, 0, 0, 3))
    out = ranges[0].normalize(np.array([[-1, 1, 3]], np.float32)).values
    assert out[0] == pytest.approx([0, 0.5, 1], abs=1e-5)


def test_a_fly_before_the_lens_does_not_flatten_the_scene() -> None:
    values = np.linspace(0, 1, 10000, dtype=np.float32).reshape(100, 100).copy()
    values[50, 50:60] = np.linspace(5, 9, 10)
    ranges = SceneRanges()
    ranges.add(Stable(0, 0, values))
    out = ranges[0].normalize(values).values
    body = out[values <= 0.99]
    assert body.max() - body.min() > 0.85
    assert (np.diff(out[50, 50:60]) > 0).all()  # bent, not clipped
    assert out.max() == 1


@given(st.lists(st.floats(-60, 60, width=32), min_size=4, max_size=4))
def test_order_is_kept_whatever_the_range(numbers: list[float]) -> None:
    low, low_knee, high_knee, high = sorted(numbers)
    values = np.linspace(low - 1, high + 1, 400, dtype=np.float32)[None]
    out = SceneRange(low, low_knee, high_knee, high).normalize(values).values
    assert (np.diff(out[0]) >= -1e-6).all()
    if high > low:
        assert out[0, 0] == pytest.approx(0, abs=1e-6)
        assert out[0, -1] == pytest.approx(1, abs=1e-5)


def test_every_scene_has_its_own_range_and_a_range_survives_json() -> None:
    ranges = SceneRanges()
    for index, (scene, high) in enumerate([(0, 1), (0, 1), (1, 7), (2, 3)]):
        ranges.add(frame(index, scene, 0, high))
    assert [ranges[scene].high for scene in range(len(ranges))] == [1, 7, 3]
    assert [ranges[scene].frames for scene in range(3)] == [2, 1, 1]
    assert SceneRange(**asdict(ranges[1])) == ranges[1]
    with pytest.raises(IndexError):
        ranges[3]


def test_a_scene_out_of_order_is_refused() -> None:
    with pytest.raises(InvalidInput, match="frame 5 belongs to scene 2"):
        SceneRanges().add(frame(5, 2, 0, 1))


def test_the_store_gives_back_what_was_put_in() -> None:
    ranges, given_frames = SceneRanges(), [frame(k, 0, 0, 1 + k) for k in range(4)]
    with Spool() as spool:
        for one in given_frames:
            ranges.add(one)
            spool.add(one)
        out = list(spool.drain(ranges))
        assert spool.scene is None
    for one, depth in zip(given_frames, out, strict=True):
        assert np.abs(depth.values - one.values / 4).max() < 1e-3
