"""A page in real headless Chromium: its pixels, its state and what it complained about."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--force-color-profile=srgb",
    "--force-device-scale-factor=1",
]


def program() -> str:
    """Path of Chromium or Chrome; skips the test, or the file of tests that calls this, where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("needs Chromium or Chrome", allow_module_level=True)


def shoot(address: str, width: int, height: int, *extra: str) -> tuple[NDArray[np.uint8], str]:
    """(height, width, 3) sRGB of the page, and its console messages."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder, "page.png")
        said = _run(address, width, height, folder, [f"--screenshot={picture}", *extra])
        assert picture.is_file(), said.stderr
        pixels = np.asarray(Pillow.open(picture).convert("RGB"))
    return pixels, "\n".join(line for line in said.stderr.splitlines() if "CONSOLE" in line)


def dom(address: str, width: int, height: int) -> str:
    """The page's HTML after it has run."""
    with tempfile.TemporaryDirectory() as folder:
        return _run(address, width, height, folder, []).stdout


def _run(address: str, width: int, height: int, folder: str, more: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the page until it says that it is ready.

    Virtual time: the browser goes on until the page has had so many of its own milliseconds. Decoding runs beside it
    in real time, so that on a busy machine the page may need more of them.
    """
    for budget in (6_000, 30_000, 120_000):
        command = [program(), *FLAGS, f"--user-data-dir={folder}/{budget}", f"--window-size={width},{height}"]
        command += [f"--virtual-time-budget={budget}", "--dump-dom", *more, address]
        said = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        if 'data-state="ready"' in said.stdout:
            break
    return said
