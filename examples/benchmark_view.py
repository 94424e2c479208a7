"""Time from opening a page to its first picture, in real Chromium: the 3D page of a photo, and a gallery with it.

    python examples/benchmark_view.py [PHOTO ...]

Needs Chromium. Each page is opened three times, each time in a new browser, which draws without a graphics card; the
least is printed, since other programs of the machine only add to it. "Photo" is the browser's first contentful paint
(the flat photo, until 3D is ready), "3D" the moment at which the pixels of the first 3D frame are there. On Linux the
processor time that all processes of the browser spend until then is printed, too: it hardly depends on other programs.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from browser import Browser  # noqa: E402  (the tests' own driver)

WATCH = """
new MutationObserver((changes, observer) => {
  if (document.documentElement?.dataset.state !== "ready") return;
  observer.disconnect();
  const gl = document.getElementById("list") ? null : document.getElementById("picture").getContext("webgl2");
  gl?.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); // waits for the frame
  window.firstPicture = performance.now();
}).observe(document, { attributes: true, childList: true, subtree: true });
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO", default=[HERE / "coffee.jpg"])
    photos = [photo.resolve() for photo in parser.parse_args().photos]
    with tempfile.TemporaryDirectory() as folder:
        for photo in photos:
            shutil.copy(photo, folder)
            page = Path(folder, f"{photo.stem}.html")
            run("view", str(photo), "-o", str(page), "--model", "tiny")
            painted, drawn, spent = zip(*(first_picture(page) for _ in range(3)), strict=True)
            least = f"photo after {min(painted) / 1000:.2f} s, 3D after {min(drawn) / 1000:.2f} s"
            print(f"{photo.name}: {least}, {min(spent):.2f} s of processor time")
        run("view", folder)
        drawn = [first_picture(Path(folder, "gallery.html"))[1] for _ in range(3)]
        print(f"gallery: ready after {min(drawn) / 1000:.2f} s")


def run(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "depth3d", *words], check=True, capture_output=True)


def first_picture(page: Path) -> tuple[float, float, float]:
    """Milliseconds from navigation to the first contentful paint and to the first 3D frame; processor seconds."""
    with Browser() as browser:
        time.sleep(1)  # the browser starts other processes
        browser.before(WATCH)
        before = processor_seconds(browser.process)
        browser.open(page.as_uri())
        browser.wait("window.firstPicture")
        painted = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? performance.now()"
        spent = processor_seconds(browser.process) - before
        return browser.run(painted), browser.run("window.firstPicture"), spent


def processor_seconds(group: int) -> float:
    """Seconds that all processes of a group have spent; NaN where the system does not tell."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            ticks += (int(fields[11]) + int(fields[12])) if int(fields[2]) == group else 0
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else math.nan


if __name__ == "__main__":
    main()
