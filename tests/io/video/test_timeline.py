"""Times of decoded frames become strictly increasing."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import pytest

from depth3d.io.video.timeline import growing


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ([0, 4, 8], [0, 4, 8]),
        ([None, None, None], [100, 104, 108]),  # none at all: from the first one on
        ([0, None, None, 12, 16], [0, 4, 8, 12, 16]),
        ([0, 4, 4, 4, 16], [0, 4, 8, 12, 16]),  # equal ones: spread over the gap
        ([0, 4, 4, 5, 9], [0, 4, 5, 6, 9]),  # no gap: a tick apart
        ([0, 4, 2, 12], [0, 4, 8, 12]),  # back
        ([0, 4, 4], [0, 4, 8]),  # at the end
        ([8, *[8] * 9, 12], [8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48]),  # a clock that stands
    ],
)
def test_missing_equal_and_backward_times(stamps: list[int | None], expected: list[int]) -> None:
    frames = [SimpleNamespace(pts=stamp, dts=None, number=number) for number, stamp in enumerate(stamps)]
    found = list(growing(frames, 4, 100))
    assert [frame.number for _, frame in found] == list(range(len(stamps)))
    times = [time for time, _ in found]
    assert all(a < b for a, b in pairwise(times))
    assert times == expected
