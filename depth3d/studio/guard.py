"""Who may talk to the studio: this machine, this page, this token."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard"]

_NAMES = ("localhost", "127.0.0.1")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:;"
        " media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


class Guard:
    """ASGI middleware: refuse requests from other hosts, other pages, and without the token.

    Every address begins with the token; the application sees the rest of it. A page of another site that resolves its
    own name to 127.0.0.1 (DNS rebinding) has the wrong Host; one that sends requests here has the wrong Origin; a
    program of another user does not know the token.

    Parameters
    ----------
    app : ASGIApp
        The application behind.
    token : str
        Secret part of every address.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        first, _, rest = scope["path"].lstrip("/").partition("/")
        refused = self._refusal(headers, first, scope["method"])
        if refused is not None:
            await PlainTextResponse(refused, 403 if refused != "not found" else 404)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    answer[name] = value
            await send(message)

        await self._app({**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode()}, receive, send_with_headers)

    def _refusal(self, headers: Headers, token: str, method: str) -> str | None:
        if _host(headers.get("host", "")) not in _NAMES:
            return "wrong host"
        origin = headers.get("origin")
        if origin is not None and (urlsplit(origin).scheme, urlsplit(origin).netloc) != ("http", headers["host"]):
            return "wrong origin"
        # Browsers say where a request comes from; "none" is a person who opened the address.
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return "wrong site"
        if method not in ("GET", "HEAD") and origin is None and "sec-fetch-site" in headers:
            return "wrong origin"
        if not secrets.compare_digest(token.encode("utf-8", "replace"), self._token):
            return "not found"
        return None


def _host(text: str) -> str:
    return text.rsplit(":", 1)[0].lower()
