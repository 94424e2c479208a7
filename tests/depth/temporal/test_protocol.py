"""Temporal filters share one interface: every row of the table is run over the same clip."""

from __future__ import annotations

import numpy as np
import pytest

from depth3d.depth.temporal.protocol import FILTERS, open_filter
from depth3d.depth.temporal.stabilizer import stabilize
from depth3d.depthmap import Disparity
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.options import StabilizeOptions

FRAME = Image(np.random.default_rng(0).integers(0, 255, (36, 48, 3), dtype=np.uint8))


def clip(count: int) -> list[Disparity]:
    base = np.linspace(2, 9, 36 * 48, dtype=np.float32).reshape(36, 48)
    return [Disparity(base * (1 + 0.1 * index)) for index in range(count)]


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_returns_each_frame_once_and_in_order(name: str) -> None:
    chosen = open_filter(StabilizeOptions(temporal_filter=name))
    held, found = 0, []
    for pushed, disparity in enumerate(clip(40), start=1):
        found += [stable.index for stable in chosen.push(FRAME, disparity)]
        held = max(held, pushed - len(found))
    found += [stable.index for stable in chosen.flush()]
    assert found == list(range(40))
    assert held <= chosen.held_frames


def test_without_a_filter_frames_keep_their_values_under_one_scale() -> None:
    options = StabilizeOptions(temporal_filter="none")
    maps = list(stabilize([FRAME] * 3, clip(3), options=options))
    raw = np.stack([one.values for one in clip(3)])
    expected = (raw - raw.min()) / (raw.max() - raw.min())
    line = np.polyfit(expected.ravel(), np.stack([one.values for one in maps]).ravel(), 1)
    assert np.abs(np.polyval(line, expected) - np.stack([one.values for one in maps])).max() < 2e-3
    assert line[0] > 0.9


def test_an_unknown_filter_suggests_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'recursive'"):
        open_filter(StabilizeOptions(temporal_filter="recursiv"))
