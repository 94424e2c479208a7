"""The benchmark beside other programs: runs what is there, tells what is not, and survives one that fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from depth3d.image import Image
from depth3d.io.image.read import save_image

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.skipif(sys.platform == "win32", reason="wait4 is not on Windows")
def test_peers_are_run_or_told(tmp_path: Path) -> None:
    peer = tmp_path / "depthflow"
    peer.write_text(
        f"#!{sys.executable}\n"
        "import sys, time\n"
        "end = time.process_time() + 0.3\n"
        "while time.process_time() < end: pass\n"
        "open(sys.argv[sys.argv.index('-d') + 1])\n"
        "open(sys.argv[sys.argv.index('-o') + 1], 'w').write('film')\n"
    )
    peer.chmod(0o755)
    depth = tmp_path / "depth.png"
    save_image(Image(np.full((40, 60, 3), 90, np.uint8)), depth)
    options = ["--size", "64x48", "--seconds", "0.1", "--rounds", "1", "--only", "photo", "--depth", str(depth)]
    broken = ["--peer", "broken=" + sys.executable + " -c 'raise SystemExit(\"no weights\")' {output}"]
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "benchmark_peers.py"), *options, *broken],
        env=os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "DEPTH3D_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line}
    assert float(rows["depth3d"][1]) > 0.3
    assert float(rows["DepthFlow"][1]) >= 0.3
    assert rows["depth3d"][4:] == ["1.00", "1.00", "1.00"]
    assert "broken failed: exit 1, no weights" in done.stdout


def test_an_absent_peer_is_told(tmp_path: Path) -> None:
    program = "import benchmark_peers as b; print(b.commands('photo', []), b.commands('clip', ['mine=run {input}']))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=EXAMPLES,
        env={key: value for key, value in os.environ.items() if key != "IW3_PYTHON"} | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert "'DepthFlow': None" in done.stdout
    assert "'iw3': None" in done.stdout
    assert "'mine': ['run', '{input}']" in done.stdout
