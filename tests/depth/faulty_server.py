"""A web server on this machine that can cut connections, change files and ignore ranges."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FaultyServer(ThreadingHTTPServer):
    """Serves ``body`` at any address."""

    daemon_threads = True

    def __init__(self, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = body
        self.cut_after: list[int] = []  # per request: send so many bytes and hang up; then send all
        self.wrong: list[bytes] = []  # per request: send this instead of the body
        self.status: list[int] = []  # per request: answer this status
        self.location = ""  # where redirects lead
        self.ranges = True
        self.slow = 0.0
        self.tag = '"one"'
        self.asked: list[str | None] = []  # the Range header of every request
        self.paths: list[str] = []
        self.headers: list[dict[str, str | None]] = []  # per request: other headers; None leaves one out
        self.endless = False  # without a length, until the connection breaks

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/weights.pt"


class Handler(BaseHTTPRequestHandler):
    server: FaultyServer

    def do_GET(self) -> None:
        server = self.server
        server.asked.append(self.headers.get("Range"))
        server.paths.append(self.path)
        if server.status:
            code = server.status.pop(0)
            if code in (301, 302, 307):
                self.send_response(code)
                self.send_header("Location", server.location)
                self.end_headers()
                return
            self.send_error(code)
            return
        body = server.wrong.pop(0) if server.wrong else server.body
        start = self._start(len(body))
        if start is not None and start >= len(body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        sent = body[start or 0 :]
        self.send_response(200 if start is None else 206)
        headers: dict[str, str | None] = {"Content-Length": str(len(sent)), "ETag": server.tag}
        if start is not None:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        if server.endless:
            headers["Content-Length"] = None
        headers |= server.headers.pop(0) if server.headers else {}
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        if server.endless:
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(sent)
            return
        if server.slow:
            threading.Event().wait(server.slow)
        if server.cut_after:
            self.wfile.write(sent[: server.cut_after.pop(0)])
            self.wfile.flush()
            self.connection.close()
            return
        self.wfile.write(sent)

    def _start(self, length: int) -> int | None:
        """First byte that is wanted, or None for the whole file."""
        asked = self.headers.get("Range")
        same = self.headers.get("If-Range") in (None, self.server.tag)
        if asked is None or not self.server.ranges or not same:
            return None
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(body: bytes) -> Iterator[FaultyServer]:
    server = FaultyServer(body)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
