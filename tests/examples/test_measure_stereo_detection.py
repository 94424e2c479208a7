"""Drawn pictures without depth that were once cut in half stay whole; drawn stereo pictures are found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def measure() -> Iterator[ModuleType]:
    sys.path.insert(0, str(EXAMPLES))
    import measure_stereo_detection

    yield measure_stereo_detection
    sys.path.remove(str(EXAMPLES))


@pytest.mark.parametrize(
    ("kind", "seed"),
    [
        *[("coins", 1), ("coins", 7), ("coins", 49)],  # like relief, like light, much repeated
        *[("before/after", 7), ("before/after", 43), ("before/after", 52)],  # a frame like a card's; a moved camera
        *[("texture", 7), ("texture", 84)],  # wallpapers at an angle
        *[("grid", 1), ("diagram", 1), ("contact sheet", 1)],
    ],
)
def test_pictures_without_depth_stay_whole(measure: ModuleType, kind: str, seed: int, tmp_path: Path) -> None:
    assert not measure.is_cut(measure.FLAT[kind](np.random.default_rng(seed)), tmp_path)


@pytest.mark.parametrize("seed", [0, 11, 12, 28, 34])  # each packing; 28 repeats itself, 34 has small things only
def test_stereo_pictures_are_found(measure: ModuleType, seed: int, tmp_path: Path) -> None:
    packing = list(measure.PACKINGS)[seed % len(measure.PACKINGS)]
    assert measure.is_cut(measure.PACKINGS[packing](*measure.scene(np.random.default_rng(seed))), tmp_path)
