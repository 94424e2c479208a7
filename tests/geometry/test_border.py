"""Beyond the border the surfaces that touch it go on; nothing nearer comes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from depth3d.geometry.border import continue_outwards


def test_a_flat_photo_is_mirrored() -> None:
    shift = np.zeros((6, 8), np.float32)
    depth, source, repeated = continue_outwards(shift, 3, 1.0)
    index = np.arange(48).reshape(6, 8)
    assert depth.shape == (12, 14)
    assert not repeated.any()
    assert np.array_equal(source, np.pad(index, 3, mode="symmetric"))


def test_what_stands_near_the_border_is_not_doubled() -> None:
    shift = np.zeros((10, 40), np.float32)
    shift[2:8, 30:36] = 20  # four pixels of background between it and the border
    depth, source, repeated = continue_outwards(shift, 12, 1.0)
    beyond = depth[:, -12:]
    assert beyond.max() == 0
    assert repeated[12 + 5].nonzero()[0].tolist() == list(range(56, 62))
    assert not repeated[12].any()
    columns = source[12 + 5, -12:] % 40
    # To and fro while the mirror shows the wall; behind it the mirror goes on.
    assert columns.tolist() == [39, 38, 37, 36, 36, 37, 38, 39, 39, 38, 29, 28]
    row_without = source[12, -12:] % 40
    assert row_without.tolist() == list(range(39, 27, -1))


def test_what_touches_the_border_goes_on_and_then_its_background() -> None:
    shift = np.zeros((10, 40), np.float32)
    shift[:, 35:] = 20
    depth, source, _ = continue_outwards(shift, 12, 1.0)
    assert depth[15, -12:].tolist() == [20] * 5 + [0] * 7
    assert (source[15, -12:] % 40).tolist() == list(range(39, 27, -1))


@given(
    arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.floats(0, 50, width=32)),
    st.integers(0, 25),
)
def test_never_nearer_outwards(shift: np.ndarray, margin: int) -> None:
    depth, source, repeated = continue_outwards(shift, margin, 1.0)
    height, width = shift.shape
    assert depth.shape == source.shape == repeated.shape == (height + 2 * margin, width + 2 * margin)
    assert source.min() >= 0
    assert source.max() < height * width
    inner = slice(margin, margin + height), slice(margin, margin + width)
    assert np.array_equal(depth[inner], shift)
    right = depth[margin : margin + height, margin + width - 1 :]
    assert (np.diff(right, axis=1) <= 0).all()
