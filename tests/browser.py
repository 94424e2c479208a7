"""A page that a test uses like a person: real headless Chromium over its debugging pipe, no other package needed."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import FLAGS, program
from numpy.typing import NDArray
from PIL import Image as Pillow

# Gives Chromium its two file descriptors their numbers, whatever they are here.
_START = """
import os, sys
import fcntl
high = [fcntl.fcntl(int(one), fcntl.F_DUPFD, 20) for one in sys.argv[1:3]]
for source, number in zip(high, (3, 4)):
    os.dup2(source, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """One Chromium with one page; a context manager.

    Chromium reads commands from file descriptor 3 and answers on 4: JSON texts that end with a zero byte.
    """

    def __init__(self, width: int = 1280, height: int = 800, *, dark: bool = False) -> None:
        self.problems: list[str] = []
        self._size, self._dark = (width, height), dark
        self._count = 0
        self._rest = b""
        self._session: str | None = None

    def __enter__(self) -> Browser:
        if not hasattr(os, "fork"):
            pytest.skip("needs the debugging pipe of Chromium on Linux or macOS")
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        command_read, self._write = os.pipe()
        self._read, answer_write = os.pipe()
        flags = [*FLAGS, "--remote-debugging-pipe", f"--user-data-dir={self._folder.name}"]
        flags.append(f"--window-size={self._size[0]},{self._size[1]}")
        fds = [str(command_read), str(answer_write)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *fds, program(), *flags, "about:blank"],
            pass_fds=(command_read, answer_write),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(command_read)
        os.close(answer_write)
        pages = self._call("Target.getTargets")["targetInfos"]
        target = next(page["targetId"] for page in pages if page["type"] == "page")
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")
        self.resize(*self._size)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if self._dark else "light"}]
        self._call("Emulation.setEmulatedMedia", features=scheme)
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._read)
        os.close(self._write)
        self._folder.cleanup()

    @property
    def process(self) -> int:
        """Number of the browser's process, which is also that of its group."""
        return self._process.pid

    def resize(self, width: int, height: int) -> None:
        """Another size of the page; below 500 pixels it is a phone's."""
        phone = width < 500
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def before(self, script: str) -> None:
        """Run a script in every page that opens from now on, before the page's own."""
        self._call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def open(self, address: str) -> None:
        """Go to a page and wait until it says that it is ready."""
        self._call("Page.navigate", url=address)
        self.wait('document.documentElement?.dataset.state === "ready"')

    def run(self, script: str) -> Any:
        """Value of a JavaScript expression, promises awaited."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, f"{script}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = 90) -> None:
        """Wait until an expression is true."""
        until = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < until, f"not true after {seconds} s: {condition}; {self.problems}"
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        """Click the middle of an element as a mouse does; it must be visible there."""
        self.run(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        x, y = self.middle(selector)
        self.drag([(x, y)])

    def middle(self, selector: str) -> tuple[float, float]:
        """Middle of an element in pixels of the page."""
        script = f"(() => {{ const r = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
        x, y = self.run(f"{script} return [r.x + r.width / 2, r.y + r.height / 2]; }})()")
        return x, y

    def drag(self, places: Sequence[tuple[float, float]]) -> None:
        """Press at the first place, move over the others, release at the last."""
        self._mouse("mouseMoved", *places[0])
        self._mouse("mousePressed", *places[0])
        for place in places[1:]:
            self._mouse("mouseMoved", *place, buttons=1)
        self._mouse("mouseReleased", *places[-1])

    def drop(self, files: Sequence[Path], place: tuple[float, float] = (400, 300)) -> None:
        """Drop files as a file manager does."""
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self._call("Input.dispatchDragEvent", type=kind, x=place[0], y=place[1], data=data)

    def press(self, key: str) -> None:
        """Press and release a key: a letter, "Tab", "Enter", "ArrowRight" ..."""
        text = {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        code = {"Enter": 13, " ": 32, "Tab": 9, "ArrowLeft": 37, "ArrowRight": 39}.get(key, 0)
        self._call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text, windowsVirtualKeyCode=code)
        self._call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def picture(self, path: Path | None = None) -> NDArray[np.uint8]:
        """(height, width, 3) sRGB of the page."""
        data = base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])
        if path is not None:
            path.write_bytes(data)
        return np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))

    def _mouse(self, kind: str, x: float, y: float, buttons: int = 0) -> None:
        pressed = kind != "mouseMoved" or buttons
        self._call(
            "Input.dispatchMouseEvent",
            type=kind,
            x=x,
            y=y,
            button="left" if pressed else "none",
            buttons=1 if kind == "mousePressed" else buttons,
            clickCount=1 if kind != "mouseMoved" else 0,
        )

    def _call(self, method: str, **parameters: Any) -> Any:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._count:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self._note(answer)

    def _receive(self, seconds: float = 120) -> Any:
        while b"\0" not in self._rest:
            assert select.select([self._read], [], [], seconds)[0], "Chromium does not answer"
            data = os.read(self._read, 1 << 20)
            assert data, "Chromium has ended"
            self._rest += data
        text, _, self._rest = self._rest.partition(b"\0")
        return json.loads(text)

    def _note(self, event: Any) -> None:
        content = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            details = content["exceptionDetails"]
            self.problems.append(str(details.get("exception", {}).get("description", details["text"])))
        elif event.get("method") == "Runtime.consoleAPICalled" and content["type"] in ("error", "warning", "assert"):
            self.problems.append(" ".join(str(one.get("value", one.get("description"))) for one in content["args"]))
        elif event.get("method") == "Log.entryAdded" and content["entry"]["level"] in ("error", "warning"):
            self.problems.append(f"{content['entry']['text']} {content['entry'].get('url', '')}")
