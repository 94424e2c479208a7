"""What is hidden takes its colours from the far side alone, from more of it the farther in it lies."""

from __future__ import annotations

import numpy as np

from depth3d.geometry.hidden import FROM_RIGHT, continue_far_side
from depth3d.geometry.inpaint import widen


def test_streaks_fade_and_the_near_side_stays_out() -> None:
    seen = np.zeros((40, 60), np.float32)
    seen[:, :30] = 16  # pixels of shift: the near side, red
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, :30] = (255, 0, 0)
    picture[::2, 30:] = (0, 200, 0)  # lines of green and black behind
    hidden = continue_far_side(seen, seen, 1.0, FROM_RIGHT)
    colors = picture.reshape(-1, 3)[hidden.source.ravel()].reshape(picture.shape).astype(np.float32)
    streaks = colors.copy()
    widen(colors, hidden, picture, seen, seen)
    assert hidden.under.any()
    assert colors[hidden.under][:, 0].max() == 0
    assert np.array_equal(colors[~hidden.under], streaks[~hidden.under])
    deep = hidden.under & (np.arange(60) < 20)
    assert colors[deep][:, 1].std() < 0.7 * streaks[deep][:, 1].std()
