"""The contact sheet of outlines: crops of the photo and of both ends of the motion, one below the other."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from depth3d.io.image.read import open_image

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))
import gallery  # noqa: E402


def test_outlines_are_shown_in_the_photo_and_at_both_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = tmp_path / "sheet.png"
    arguments = [str(sheet), str(EXAMPLES / "coffee.jpg"), "--model", "tiny", "--outlines", "2", "--crop", "100"]
    monkeypatch.setattr(sys, "argv", ["gallery.py", *arguments])
    gallery.main()
    pixels, photo = open_image(sheet).pixels, open_image(EXAMPLES / "coffee.jpg").pixels
    assert pixels.shape[:2] == (3 * 104, 2 * 104)
    first, left, right = (pixels[top : top + 100, :100] for top in (0, 104, 208))
    windows = np.lib.stride_tricks.sliding_window_view(photo[..., 1], (4, 100))
    assert (windows == first[:4, :, 1]).all((2, 3)).sum() == 1
    assert np.abs(first.astype(int) - left).mean() > 1
    assert np.abs(left.astype(int) - right).mean() > 1
