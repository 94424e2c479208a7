"""A running studio for every file of tests in this folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason='needs pip install "depth3d[studio]"')
pytest.importorskip("uvicorn", reason='needs pip install "depth3d[studio]"')


@dataclass(frozen=True)
class Running:
    """A studio in a process of its own."""

    address: str
    results: Path
    process: subprocess.Popen[str]

    def ask(
        self, path: str, body: Any = None, *, method: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and JSON (or bytes) of a request; ``body`` may be bytes or anything for JSON."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                status, content, kind = answer.status, answer.read(), answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            status, content, kind = error.code, error.read(), error.headers["Content-Type"]
        return status, json.loads(content) if kind and "json" in kind else content


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The studio with the network `tiny`, its private files and its results in folders of their own."""
    folder = tmp_path_factory.mktemp("studio")
    (folder / "tmp").mkdir()
    environment = os.environ | {"DEPTH3D_OFFLINE": "1", "TMPDIR": str(folder / "tmp"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "depth3d", "studio", "--no-browser", "--model", "tiny"]
    process = subprocess.Popen(
        [*command, "--results", str(folder / "results"), "--largest", "0.05"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    address = process.stderr.readline().split()[0]
    assert address.startswith("http://localhost:"), address + process.stderr.read()
    yield Running(address, folder / "results", process)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0
        process.stderr.close()
    assert not list((folder / "tmp").glob("depth3d-*")), "files are left after the end"
