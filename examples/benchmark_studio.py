"""Time from a drop into the studio to the first 3D picture, and to all layers, in real Chromium.

    python examples/benchmark_studio.py [PHOTO ...] [--picture FILE.png]

Needs Chromium and `pip install "depth3d[studio]"`. The server has started and its network is loaded, as when a person
drops the first photo. Each photo is dropped three times; the median is printed. With --picture the photos are dropped
together instead, and the page with the first one is saved, 1280x800.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from browser import Browser  # noqa: E402  (the tests' own driver)

PICTURE = "document.documentElement.dataset.picture"


def main() -> None:
    words = sys.argv[1:]
    picture = None
    if "--picture" in words:
        place = words.index("--picture")
        picture = Path(words[place + 1])
        del words[place : place + 2]
    photos = [Path(name).resolve() for name in words] or [HERE / "astronaut.jpg", HERE / "flower.jpg"]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "depth3d", "studio", "--no-browser", "--model", "tiny", "--results", folder]
        server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"DEPTH3D_OFFLINE": "1"})
        try:
            assert server.stderr is not None
            address = server.stderr.readline().split()[0]
            with Browser() as browser:
                browser.open(address)
                browser.wait("document.getElementById('network').textContent", 120)
                if picture is not None:
                    browser.drop(photos)
                    browser.wait(f"{PICTURE} === 'ready'", 300)
                    browser.click("#tab-stereo")
                    time.sleep(1)
                    browser.picture(picture)
                    return
                for photo in photos:
                    first, whole = zip(*(drop(browser, photo) for _ in range(3)), strict=True)
                    print(
                        f"{photo.name}: 3D after {statistics.median(first):.2f} s, all layers after "
                        f"{statistics.median(whole):.2f} s (first drop {first[0]:.2f} s)"
                    )
        finally:
            server.terminate()
            server.wait(30)


def drop(browser: Browser, photo: Path) -> tuple[float, float]:
    browser.run(f"delete {PICTURE}")
    began = time.perf_counter()
    browser.drop([photo])
    browser.wait(PICTURE)
    first = time.perf_counter() - began
    browser.wait(f"{PICTURE} === 'ready' && document.getElementById('busy').hidden")
    return first, time.perf_counter() - began


if __name__ == "__main__":
    main()
