"""Memory does not grow with the clip: peak over 6,000 frames against that over 300, at small size."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import make_clip
from memory import peak_kilobytes

CODE = """
import sys
sys.path.insert(0, sys.argv[3])
import clip_child
clip_child.main(sys.argv[1], sys.argv[2], "libx264")
"""


def peak(clip: Path, target: Path) -> int:
    """Largest resident memory of one conversion in a process of its own, kB."""
    return peak_kilobytes(CODE, clip, target, Path(__file__).parents[2])


@pytest.mark.slow
def test_memory_is_flat(tmp_path: Path) -> None:
    few = make_clip(tmp_path / "few.mp4", count=300, size=(64, 36), options={"preset": "ultrafast"})
    many = make_clip(tmp_path / "many.mp4", count=3000, size=(64, 36), options={"preset": "ultrafast"})
    small, large = peak(few, tmp_path / "a.mp4"), peak(many, tmp_path / "b.mp4")
    assert large <= 1.05 * small, f"{large} after 3,000 frames, {small} after 300"
