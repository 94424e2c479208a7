"""`depth3d view --serve --host`: the QR code of the terminal leads to the page, and https works with a certificate."""

from __future__ import annotations

import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

HALVES = {"█": (1, 1), "▀": (1, 0), "▄": (0, 1), " ": (0, 0)}  # upper and lower half, 1 = the terminal's light color


def read_qr(lines: list[str]) -> str:
    """Text of a QR code that is printed in block characters, two modules to a line."""
    rows = [[HALVES[character][half] for character in line] for line in lines for half in (0, 1)]
    picture = np.repeat(np.repeat(np.array(rows, np.uint8) * 255, 8, 0), 8, 1)
    words, *_ = cv2.QRCodeDetectorAruco().detectAndDecode(picture)  # QRCodeDetector misses one address in a hundred
    assert words, "no QR code in the terminal's text"
    return words


@pytest.mark.skipif(shutil.which("openssl") is None or sys.platform == "win32", reason="needs openssl, and Ctrl-C")
def test_the_printed_code_leads_to_the_page_over_https(tmp_path: Path) -> None:
    pem = tmp_path / "home.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=depth3d"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(pem), "-out", str(tmp_path / "only.pem")]
    subprocess.run(made, check=True, capture_output=True)
    pem.write_text(pem.read_text() + (tmp_path / "only.pem").read_text())
    folder = tmp_path / "photos"
    folder.mkdir()
    Pillow.new("RGB", (60, 40), (0, 200, 0)).save(folder / "green.png")

    command = [sys.executable, "-m", "depth3d", "view", str(folder), "--serve", "--host", "127.0.0.1", "--port", "0"]
    printed = tmp_path / "printed.txt"
    with printed.open("w") as stderr:
        server = subprocess.Popen([*command, "--certificate", str(pem)], stderr=stderr)
    try:
        for _ in range(600):
            lines = printed.read_text(encoding="utf-8").splitlines()
            if len(lines) > 15 and set(lines[-1]) == {"▀"}:  # the lower border of the code
                break
            assert server.poll() is None, lines
            time.sleep(0.1)
        code = [line for line in lines if line and set(line) <= HALVES.keys()]
        address = read_qr(code)
        assert address.startswith("https://127.0.0.1:")
        assert lines[lines.index(code[0]) - 1].split()[0] == address
        trusted = ssl.create_default_context(cafile=str(tmp_path / "only.pem"))
        with urllib.request.urlopen(address, context=trusted, timeout=20) as answer:
            assert "green.png" in answer.read().decode()
        with urllib.request.urlopen(f"{address}0", context=trusted, timeout=20) as answer:
            assert answer.read() == (folder / "green.png").read_bytes()
        without_secret = re.sub(r"/[^/]+/$", "/", address)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(without_secret, context=trusted, timeout=20)
        with pytest.raises(urllib.error.URLError, match=r"(?i)certificate"):
            urllib.request.urlopen(address, timeout=20)  # nobody vouches for it elsewhere
        server.send_signal(signal.SIGINT)
        assert server.wait(30) in (0, 130)
    finally:
        server.kill()
        server.wait(30)
