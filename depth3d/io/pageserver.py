"""Serves a page and its files, on this machine only or in the home network, with bounded connections and times."""

from __future__ import annotations

import contextlib
import errno
import mimetypes
import re
import secrets
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from depth3d.errors import InvalidOption, in_words

__all__ = ["CONNECTIONS", "PageServer"]

CONNECTIONS = 16
"""Open connections at once; a new one closes the oldest."""

SECONDS = 30.0  # for a request, and for its answer: more than a page takes through a cable to a headset


class PageServer(ThreadingHTTPServer):
    """Serves one page at ``/`` and files at ``/0``, ``/1``, ...; every other path gives 404. A context manager.

    Without ``host`` it listens on this machine only. A headset can open it through ``adb reverse tcp:PORT tcp:PORT``:
    WebXR requires a secure origin, and localhost is one. With ``host`` other machines reach it; then every path begins
    with a secret word. Only the page, from memory, and the listed files are served.

    Parameters
    ----------
    port : int
        Port number; 0 = any free port. The port is taken at once, so that an error is told before the page is made.
    host : str | None
        Address to listen on, for other machines.
    certificate : str | None
        PEM file with certificate and key: https instead of http.

    Raises
    ------
    InvalidOption
        If the port, the address or the certificate cannot be used.
    """

    daemon_threads = True
    request_queue_size = CONNECTIONS

    def __init__(self, port: int, host: str | None = None, certificate: str | None = None) -> None:
        self.body = b""
        self.files: Sequence[Path] = ()
        self.secret = "" if host is None else secrets.token_urlsafe(12)
        self._host = host
        self._open: dict[int, Any] = {}  # by file number, oldest first
        self._guard = threading.Lock()
        try:
            super().__init__((host or "127.0.0.1", port), _Handler)
        except socket.gaierror:
            raise InvalidOption("host", f"{host} is not an address of this machine") from None
        except (OSError, OverflowError) as error:
            if getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
                raise InvalidOption("host", f"{host} is not an address of this machine") from None
            reason = in_words(error)
            raise InvalidOption("port", f"{port} cannot be used: {reason.lower()}; choose another one") from error
        self._scheme = "http"
        if certificate is not None:
            self._scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            try:
                context.load_cert_chain(certificate)
            except (OSError, ssl.SSLError) as error:
                self.server_close()
                raise InvalidOption("certificate", f"{certificate} cannot be used: {in_words(error)}") from error
            # The handshake is done by the first read, in the connection's own thread and time.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def address(self) -> str:
        """The address to open, with the secret word."""
        host = _own_address() if self._host in ("0.0.0.0", "::") else self._host or "localhost"
        return f"{self._scheme}://{host}:{self.server_port}/{self.secret and self.secret + '/'}"

    def serve(self, path: Path | bytes, announce: Callable[[str], None], files: Sequence[Path] = ()) -> None:
        """Serve a page (its file or bytes) and files until Ctrl-C; ``announce`` is called with the address."""
        self.body = path if isinstance(path, bytes) else path.read_bytes()
        self.files = files
        announce(self.address)
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
        """Request handler: the page or one of the files, only for the right secret word and host name."""
        assert isinstance(self.server, PageServer)
        server, name = self.server, urlsplit(self.path).path.removeprefix("/")
        if server.secret:
            word, slash, name = name.partition("/")
            allowed = bool(slash) and secrets.compare_digest(word.encode(), server.secret.encode())
        else:
            # Another site could resolve its own name to 127.0.0.1 and read the photo (DNS rebinding).
            allowed = self.headers.get("Host", "").rsplit(":", 1)[0] in ("localhost", "127.0.0.1")
        if allowed and name == "":
            self._head(200, "text/html; charset=utf-8", len(server.body))
            if self.command == "GET":
                self.wfile.write(server.body)
        elif allowed and re.fullmatch(r"[0-9]{1,6}", name) and int(name) < len(server.files):
            self._file(server.files[int(name)])
        else:
            self.send_error(404)

    def _head(self, status: int, kind: str, length: int, **more: str) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(length), "X-Content-Type-Options": "nosniff"}
        for name, value in {**headers, "Referrer-Policy": "no-referrer", **more}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _file(self, path: Path) -> None:
        """Send a file, or the range that is asked for: players seek in clips."""
        try:
            file = path.open("rb")
        except OSError:
            self.send_error(404)
            return
        with file:
            size = path.stat().st_size
            first, last = _range(self.headers.get("Range", ""), size)
            if first > last:
                self.send_error(416)
                return
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            more = {"Accept_Ranges": "bytes"}
            if "Range" in self.headers:
                more["Content_Range"] = f"bytes {first}-{last}/{size}"
            self._head(206 if "Range" in self.headers else 200, kind, last + 1 - first, **more)
            file.seek(first)
            left = last + 1 - first if self.command == "GET" else 0
            while left > 0 and (piece := file.read(min(left, 1 << 18))):
                self.wfile.write(piece)
                left -= len(piece)

    do_HEAD = do_GET  # noqa: N815 (the name that http.server calls)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Print no request log to the terminal."""


def _range(asked: str, size: int) -> tuple[int, int]:
    """First and last byte of a Range header with one range; the whole file for any other header."""
    found = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", asked.strip())
    if found is None or not (found[1] or found[2]):
        return 0, size - 1
    if not found[1]:
        return max(0, size - int(found[2])), size - 1
    return int(found[1]), min(int(found[2] or size), size - 1)


def _own_address() -> str:
    """Return this machine's address in the home network; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation: only the route is looked up
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
