"""Peak memory of a program of its own."""

from __future__ import annotations

import subprocess
import sys

# Not getrusage: a forked child begins with its parent's peak, so that it would tell the test runner's memory.
_TELL = "\nprint(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"


def peak_kilobytes(code: str, *arguments: object) -> int:
    """Run ``code`` in a fresh Python and return the largest resident memory it ever had, in kB (Linux only)."""
    command = [sys.executable, "-c", code + _TELL, *map(str, arguments)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])
