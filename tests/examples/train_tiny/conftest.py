"""The scripts of examples/train_tiny are imported by their own names, as they import each other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3] / "examples" / "train_tiny"


@pytest.fixture
def scripts() -> Path:
    """Folder of the scripts."""
    return ROOT


@pytest.fixture(scope="module", autouse=True)
def _path() -> Iterator[None]:
    if not ROOT.is_dir():
        pytest.skip("the examples are not beside the tests")
    before = list(sys.path)
    sys.path[:0] = [str(ROOT), str(ROOT / "scenes")]
    yield
    sys.path[:] = before
