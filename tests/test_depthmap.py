from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from depth3d.depthmap import DepthMap, Disparity
from depth3d.errors import InvalidInput


@pytest.mark.parametrize("values", [np.full((2, 2), 1.5), np.full((2, 2), -0.1), np.full((2, 2), np.nan), np.zeros(4)])
def test_values_outside_the_rule_are_refused(values: np.ndarray) -> None:
    with pytest.raises(InvalidInput, match="expected"):
        DepthMap(values)


def test_disparity_nan_is_refused() -> None:
    with pytest.raises(InvalidInput, match="1 of 4"):
        Disparity(np.array([[1, 2], [3, np.nan]], np.float32))


def test_nearest_is_one() -> None:
    depth = DepthMap.from_disparity(Disparity(np.array([[10.0, 30.0]], np.float32)))
    assert depth.values.tolist() == [[0.0, 1.0]]
    metric = DepthMap.from_metric(np.array([[1.0, 2.0, 4.0, np.inf]]), near=1, far=4)
    np.testing.assert_allclose(metric.values, [[1, 1 / 3, 0, 0]], atol=1e-6)
    with pytest.raises(InvalidInput, match="near is inf"):
        DepthMap.from_metric(np.array([[1.0, 2.0]]), near=np.inf)


@given(arrays(np.float32, (4, 5), elements=st.floats(0, 1, width=32)))
def test_metric_round_trip(values: np.ndarray) -> None:
    depth = DepthMap(values)
    meters = depth.metric(0.5, 20)
    np.testing.assert_allclose(DepthMap.from_metric(meters, 0.5, 20).values, depth.values, atol=2e-5)


@given(arrays(np.float32, (3, 4), elements=st.floats(-1e6, 1e6, width=32)))
def test_from_disparity_always_fits(values: np.ndarray) -> None:
    depth = DepthMap.from_disparity(Disparity(values))
    assert depth.values.min() >= 0
    assert depth.values.max() <= 1


def test_flat_disparity_is_far() -> None:
    assert DepthMap.from_disparity(Disparity(np.full((2, 2), 7, np.float32))).values.max() == 0
