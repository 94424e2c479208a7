"""Make the pictures of HOWTO.md: a person's way through the studio, in real Chromium.

    python examples/make_howto.py      # from a checkout, with Chromium and pip install ".[studio]"

Writes `examples/pictures/howto_*.jpg`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

import depth3d as d3
from depth3d.io.image.read import save_image

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))
from browser import Browser  # noqa: E402

READY = "document.documentElement.dataset.picture === 'ready' && document.getElementById('busy').hidden"
SHOWN = 960  # width of the pictures in the document


def take(page: Browser, name: str) -> None:
    """Save the page as a JPEG of the document's width."""
    time.sleep(3)  # buttons fade slowly without a GPU
    pixels = page.picture()
    size = (SHOWN, round(SHOWN * pixels.shape[0] / pixels.shape[1]))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    save_image(d3.Image(np.ascontiguousarray(small)), HERE / "pictures" / f"howto_{name}.jpg", force=True)


def stroke(page: Browser, places: list[tuple[float, float]]) -> None:
    """Paint over the depth map; places in parts of its width and height."""
    left, top, width, height = page.run(
        "(() => { const c = document.getElementById('depth'), r = c.getBoundingClientRect(),"
        " s = Math.min(r.width / c.width, r.height / c.height), w = c.width * s, h = c.height * s;"
        " return [r.x + (r.width - w) / 2, r.y + (r.height - h) / 2, w, h]; })()"
    )
    page.drag([(left + x * width, top + y * height) for x, y in places])
    page.wait("!document.getElementById('undo').disabled")
    time.sleep(2)
    page.wait(READY)


def walk(page: Browser) -> None:
    """Drop, move, stereo, repair, save; then a clip."""
    page.drop([HERE / "astronaut.jpg"])
    page.wait(READY, 180)
    page.click("#tab-move")
    take(page, "drop")
    page.click("#tab-stereo")
    page.click("[data-view=anaglyph]")
    take(page, "stereo")
    page.click("[data-view=photo]")
    page.click("#tab-depth")
    page.click("[data-tool=nearer]")
    stroke(page, [(0.86, 0.3 + 0.02 * step) for step in range(12)])
    take(page, "repair")
    page.click("[data-tool=nearer]")
    page.click("#tab-save")
    page.run("document.querySelectorAll('#outputs details').forEach((one) => (one.open = true))")
    page.click("[data-preset=facebook]")
    time.sleep(3)  # buttons fade slowly without a GPU
    take(page, "save")
    page.drop([HERE / "bigbuckbunny.mp4"])
    page.wait("document.querySelectorAll('#items li').length >= 2", 180)
    time.sleep(2)
    page.click("#items li:last-child button")
    page.wait("!document.getElementById('tab-clip').hidden", 120)
    page.wait(READY, 180)
    page.click("#find-shots")
    page.wait("document.querySelectorAll('#shots li').length >= 1", 180)
    take(page, "clip")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "depth3d", "studio", "--no-browser", "--model", "tiny", "--results", folder]
        environment = os.environ | {"DEPTH3D_OFFLINE": "1"}
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as studio:
            assert studio.stderr is not None
            try:
                with Browser(1280, 800) as page:
                    page.open(studio.stderr.readline().split()[0])
                    walk(page)
            finally:
                studio.terminate()


if __name__ == "__main__":
    main()
