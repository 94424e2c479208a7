"""The script that sends an hour of film through a cluster whose workers are killed, with some minutes of film."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "measure_long_film.py"

pytestmark = pytest.mark.skipif("DEPTH3D_LONG" not in os.environ, reason="takes minutes: set DEPTH3D_LONG=1")


@pytest.mark.parametrize("words", [(), ("--ship",)])
def test_minutes_of_film_are_the_same_frames(words: tuple[str, ...]) -> None:
    pytest.importorskip("distributed")
    command = [sys.executable, str(SCRIPT), "--seconds", "240", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr
    assert "480 of 480 frames identical" in done.stdout
    assert "killed: 2 workers" in done.stdout
    assert len(re.findall(r"\d+ MB, worker \d+ MB", done.stdout)) == 4
