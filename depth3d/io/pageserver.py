"""Serves one 3D page on this machine only, with bounded connections and times."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from depth3d.errors import InvalidOption

__all__ = ["CONNECTIONS", "PageServer"]

CONNECTIONS = 16
"""Open connections at once; a new one closes the oldest."""

SECONDS = 30.0  # for a request, and for its answer: more than a page takes through a cable to a headset


class PageServer(ThreadingHTTPServer):
    """Serves one page at ``/`` on this machine only; every other path gives 404. A context manager.

    A headset can open it through ``adb reverse tcp:PORT tcp:PORT``: WebXR requires a secure origin, and localhost is
    one. No files are served: only the page, from memory.

    Parameters
    ----------
    port : int
        Port number; 0 = any free port. The port is taken at once, so that an error is told before the page is made.

    Raises
    ------
    InvalidOption
        If the port cannot be used.
    """

    daemon_threads = True
    request_queue_size = CONNECTIONS

    def __init__(self, port: int) -> None:
        self.body = b""
        self._open: dict[int, Any] = {}  # by file number, oldest first
        self._guard = threading.Lock()
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InvalidOption("port", f"{port} cannot be used: {reason.lower()}; choose another one") from error

    def serve(self, path: Path, announce: Callable[[str], None]) -> None:
        """Serve the page until Ctrl-C; ``announce`` is called with the address."""
        self.body = path.read_bytes()
        announce(f"http://localhost:{self.server_port}/")
        with contextlib.suppress(KeyboardInterrupt):
            self.serve_forever()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own; if there are too many, close the oldest one."""
        with self._guard:
            self._open[request.fileno()] = request
            if len(self._open) > CONNECTIONS:
                oldest: socket.socket = self._open.pop(next(iter(self._open)))
                with contextlib.suppress(OSError):
                    oldest.shutdown(socket.SHUT_RDWR)  # its thread reads the end and finishes
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, and forget it."""
        with self._guard:
            if request in self._open.values():
                del self._open[request.fileno()]
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore connections that end early (a closed tab); report other errors in one line."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError) and sys.stderr is not None:
            print(f"depth3d: a request failed: {error}", file=sys.stderr)


class _Handler(BaseHTTPRequestHandler):
    server_version = "depth3d"
    sys_version = ""
    timeout = SECONDS

    def do_GET(self) -> None:
        """Request handler that serves the page at its own path, only for requests with a localhost host name."""
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        # Another site could resolve its own name to 127.0.0.1 and read the photo (DNS rebinding).
        if self.path.split("?", 1)[0] != "/" or host not in ("localhost", "127.0.0.1"):
            self.send_error(404)
            return
        assert isinstance(self.server, PageServer)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(self.server.body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(self.server.body)

    do_HEAD = do_GET  # noqa: N815 (the name that http.server calls)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Print no request log to the terminal."""
