"""The benchmark of CI: the program is not twice as slow as it was, and the benchmark would tell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "benchmark_ratios.py"


@pytest.mark.benchmark
def test_no_stage_is_twice_as_slow_as_recorded() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--rounds", "3"], capture_output=True, text=True, timeout=500, check=False
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["network", "layers", "frame", "animation"]


@pytest.mark.benchmark
def test_a_slow_stage_is_an_error() -> None:
    program = (
        "import benchmark_ratios as b, contextlib, time\n"
        "def busy(seconds):\n"
        "    end = time.process_time() + seconds\n"
        "    while time.process_time() < end: pass\n"
        "def stage(own): return lambda: contextlib.nullcontext((lambda: busy(own), lambda: busy(0.02)))\n"
        "b.STAGES, b.RECORDED = {'quick': stage(0.02), 'slow': stage(0.06)}, {'quick': 1.0, 'slow': 1.0}\n"
        "b.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=SCRIPT.parent, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 1
    assert "slow: " in done.stderr
    assert "quick: " not in done.stderr
