"""Peak memory: of a program of its own, and of a part of this one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# Not getrusage: a forked child begins with its parent's peak, so that it would tell the test runner's memory.
_TELL = "\nprint(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"


def peak_kilobytes(code: str, *arguments: object) -> int:
    """Run ``code`` in a fresh Python and return the largest resident memory it ever had, in kB (Linux only)."""
    command = [sys.executable, "-c", code + _TELL, *map(str, arguments)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def reset_peak() -> int:
    """Start measuring anew in this process; return the resident memory now, kB (0 where there is no Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 0
    return peak()


def peak() -> int:
    """Return the largest resident memory since ``reset_peak``, kB (0 where there is no Linux)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
