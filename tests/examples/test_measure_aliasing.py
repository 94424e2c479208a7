"""The measurement of flicker, on a small scene."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depth3d.image import Size

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def aliasing() -> Any:
    sys.path.insert(0, str(EXAMPLES))
    try:
        found = importlib.util.spec_from_file_location("measure_aliasing", EXAMPLES / "measure_aliasing.py")
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(EXAMPLES))


def test_the_true_picture_moves_as_it_should(aliasing: Any) -> None:
    size = Size(96, 54)
    still, depth = aliasing.true_view(size, (0.0, 0.0))
    moved, moved_depth = aliasing.true_view(size, (8.0, 0.0))
    # Depth 1 goes half of it to the left; the wall, at depth 0, half of it to the right.
    assert np.array_equal(moved_depth[:, :-4] == 1, depth[:, 4:] == 1)
    wall = (depth == 0)[:, :-4] & (moved_depth == 0)[:, 4:]
    assert np.median(np.abs(moved[:, 4:] - still[:, :-4])[wall]) < 0.01


def test_silhouettes_flicker_less_than_those_of_a_ray_march(aliasing: Any) -> None:
    found = aliasing.measure(Size(128, 72), 10, 0.7)
    assert found["8 bits alone"][0] < 0.5
    assert found["depth3d"][0] < found["ray march"][0]
