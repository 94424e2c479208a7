"""Prints all numbers about new views beside those recorded before: outlines, hidden parts, fine detail, clips.

    python examples/measure_new_views.py PAIRS PHOTOS     # folders, as measure_views.py and measure_detail.py take them

Runs ``measure_outlines.py`` (outlines from a network's depth, of stills and of clips from frame to frame),
``measure_views.py`` (real pairs, hidden parts, clips) and ``measure_detail.py``, where bilinear reading is the past.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pairs", type=Path, help="folder of pairs with measured disparity")
    parser.add_argument("photos", type=Path, help="folder of photos")
    arguments = parser.parse_args()
    runs = (
        ("measure_outlines.py", "--stereo", arguments.pairs),
        ("measure_outlines.py", "--clips"),
        ("measure_views.py", arguments.pairs),
        ("measure_detail.py", arguments.photos),
    )
    for script, *given in runs:
        print(f"\n== {script}", flush=True)
        subprocess.run([sys.executable, str(Path(__file__).with_name(script)), *map(str, given)], check=True)


if __name__ == "__main__":
    main()
