"""Serves a live 3D view as a page on this machine only: pictures as MJPEG, at an address with a secret part."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable

import cv2
import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from depth3d.image import Image
from depth3d.io.video.capture import check_source
from depth3d.options import LiveOptions
from depth3d.pipeline.live import LiveReport, run_live
from depth3d.studio.guard import Guard
from depth3d.studio.serve import announce_page, listen, make_server

__all__ = ["Broadcast", "serve_live"]

_JPEG_QUALITY = 88
_TELL_SECONDS = 2.0
_BOUNDARY = "depth3d-picture"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>depth3d live</title>
<link rel="stylesheet" href="live.css"><img id="picture" src="pictures" alt="The live 3D picture">
<p id="status" role="status"></p><script src="live.js"></script></html>"""
_STYLE = """body{margin:0;background:#111;color:#ddd;font:16px system-ui}
body{height:100vh;display:flex;flex-direction:column}
img{flex:1;min-height:0;width:100%;object-fit:contain}p{margin:.5em;text-align:center}"""
_SCRIPT = """setInterval(async () => {
  const status = document.getElementById("status");
  try { status.textContent = (await (await fetch("status")).json()).line; } catch { status.textContent = "ended"; }
}, 1000);"""


class Broadcast:
    """The newest picture of a live view, for any number of viewers; a slow viewer gets fewer pictures."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._new = asyncio.Event()
        self._jpeg = b""
        self._report: LiveReport | None = None
        self.open = True

    def show(self, image: Image, report: LiveReport) -> bool:
        """Publish a picture; may be called in any thread. Return whether the page is still served."""
        pixels = np.ascontiguousarray(image.eight_bit().pixels[..., ::-1])
        self._jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
        self._report = report
        if self._loop is not None and self.open:
            self._loop.call_soon_threadsafe(self._publish)
        return self.open

    def close(self) -> None:
        """End the streams of all viewers; may be called in any thread."""
        self.open = False
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._publish)

    def app(self, token: str) -> Guard:
        """Return the ASGI application behind ``token``."""
        texts = {"": (_PAGE, "text/html"), "live.css": (_STYLE, "text/css"), "live.js": (_SCRIPT, "text/javascript")}

        async def text(request: Request) -> Response:
            content, kind = texts[request.url.path.rsplit("/", 1)[-1]]
            return Response(content, media_type=kind)

        async def status(request: Request) -> Response:
            report = self._report
            return JSONResponse({"line": "waiting"} if report is None else {**report.facts(), "line": report.line()})

        async def pictures(request: Request) -> Response:
            kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
            return StreamingResponse(self._pictures(), media_type=kind)

        routes = [*(Route(f"/{name}", text) for name in texts), Route("/status", status), Route("/pictures", pictures)]
        return Guard(Starlette(routes=routes), token)

    async def _pictures(self) -> AsyncIterator[bytes]:
        self._loop = asyncio.get_running_loop()
        while self.open:
            if self._jpeg:
                head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(self._jpeg)}\r\n\r\n"
                yield head.encode() + self._jpeg + b"\r\n"
            await self._new.wait()

    def _publish(self) -> None:
        waiting, self._new = self._new, asyncio.Event()
        waiting.set()


def serve_live(
    source: str, options: LiveOptions, *, announce: Callable[[str], None], tell: Callable[[str], None]
) -> LiveReport | None:
    """Show a live source on a page until it ends or Ctrl-C; return the last report.

    Raises the errors of ``run_live``, and ``InvalidOption`` if the port is taken.

    Parameters
    ----------
    source : str
        Camera, screen, stream or clip.
    options : LiveOptions
        Format, network, port.
    announce : Callable[[str], None]
        Called with the address.
    tell : Callable[[str], None]
        Called with rate, latency and dropped pictures every two seconds.
    """
    check_source(source)  # before a page is opened for it
    broadcast, token = Broadcast(), secrets.token_urlsafe(24)
    with listen(options.port) as listening:
        server = make_server(broadcast.app(token), timeout_graceful_shutdown=1)
        worker = _Worker(source, options, broadcast, server, tell)
        announce_page(listening, token, announce, browser=options.browser)
        worker.start()
        try:
            server.run(sockets=[listening])
        except KeyboardInterrupt:
            pass
        finally:
            broadcast.close()
            worker.join()
    if worker.error is not None:
        raise worker.error
    return worker.report


class _Worker(threading.Thread):
    """Captures, predicts and draws; ends the server when it is done."""

    def __init__(
        self,
        source: str,
        options: LiveOptions,
        broadcast: Broadcast,
        server: uvicorn.Server,
        tell: Callable[[str], None],
    ) -> None:
        super().__init__(name="live", daemon=True)
        self._source, self._options = source, options
        self._broadcast, self._server, self._tell = broadcast, server, tell
        self._told = 0.0
        self.error: BaseException | None = None
        self.report: LiveReport | None = None

    def run(self) -> None:
        """Run until the source ends or the page is closed."""
        try:
            self.report = run_live(self._source, self._options, self._show)
        except BaseException as error:
            self.error = error
        finally:
            self._broadcast.close()
            self._server.should_exit = True

    def _show(self, image: Image, report: LiveReport) -> bool:
        self.report = report
        if time.monotonic() - self._told >= _TELL_SECONDS:
            self._told = time.monotonic()
            self._tell(report.line())
        return self._broadcast.show(image, report)
