"""Freed memory is used again while a clip is converted: fewer page faults, and the memory is given back afterwards."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

CODE = """
import resource
import numpy as np
from depth3d.pipeline.clip.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        first, second = np.ones(900_000, np.float32), np.ones(900_000, np.float32)
        del first, second
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return int(open("/proc/self/statm").read().split()[1])

usual = faults()
with keep_freed_memory():
    faults()
    kept = faults()
    many = [np.ones(900_000, np.float32) for _ in range(20)]
    most = resident()
    del many
print(usual, kept, most, resident())
"""


@pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="memory is handled so by glibc only"
)
def test_pages_are_used_again_and_given_back() -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, env=clean)
    usual, kept, most, after = map(int, run.stdout.split())
    assert kept < usual / 4, "pages were given back between two arrays"
    assert after < most - 12_000, "72 MB are 17,578 pages"
