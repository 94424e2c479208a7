"""The sheet that compares versions: outlines are found where depth steps, and the same code draws the same pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from depth3d.io.image.read import open_image

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))
import compare_versions  # noqa: E402


def test_outlines_are_where_depth_steps_most() -> None:
    depth = np.zeros((200, 300), np.uint16)
    depth[40:80, 200:240] = 60000  # the highest
    depth[120:170, 30:80] = 20000
    (first, second) = compare_versions.outlines(depth, 60, 2)
    for corner, (row, column) in ((first, (60, 220)), (second, (145, 55))):
        assert corner[0] <= row < corner[0] + 60
        assert corner[1] <= column < corner[1] + 60


def test_a_version_beside_itself_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = tmp_path / "sheet.png"
    arguments = [str(sheet), str(EXAMPLES.parent), str(EXAMPLES / "coffee.jpg"), "--crop", "120"]
    monkeypatch.setattr(sys, "argv", ["compare_versions.py", *arguments])
    compare_versions.main()
    photo, before, after = np.split(open_image(sheet).pixels[:120], 3, axis=1)
    assert np.array_equal(before, after)
    assert not np.array_equal(photo, after)
