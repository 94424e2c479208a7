"""Starts the studio: a socket on this machine only, a private folder, the server, the browser."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import platformdirs
import uvicorn

from depth3d.errors import InvalidOption, in_words
from depth3d.io.atomic import make_folder
from depth3d.io.leftovers import temporary_folder
from depth3d.options import StudioOptions
from depth3d.quantities import home_path
from depth3d.studio.guard import Guard
from depth3d.studio.items import Library
from depth3d.studio.jobs import Jobs
from depth3d.studio.server import make_app
from depth3d.studio.state import Studio

__all__ = ["announce_page", "listen", "make_server", "serve"]

_GRACE = 2  # seconds that open connections get at the end


def serve(files: Sequence[Path], options: StudioOptions, *, announce: Callable[[str], None]) -> None:
    """Serve the studio until Ctrl-C.

    Raises ``WriteError`` if the folder for results cannot be made, ``InvalidOption`` if the port is taken.

    Parameters
    ----------
    files : Sequence[Path]
        Photos and clips to open at the start.
    options : StudioOptions
        Port, folder for results, depth network.
    announce : Callable[[str], None]
        Called with the address.
    """
    results = _folder(options.results)
    with listen(options.port) as listening, temporary_folder() as folder:
        size = int(options.largest * 1e9)
        library = Library(folder, size, 4 * size)
        for file in files:
            library.add(file)
        downloads = Path(platformdirs.user_downloads_dir())
        studio = Studio(library, Jobs(), folder, results, downloads, options.model)
        token = secrets.token_urlsafe(24)
        server = make_server(make_app(studio, token), timeout_graceful_shutdown=_GRACE, lifespan="on")
        announce_page(listening, token, announce, browser=options.browser)
        try:
            server.run(sockets=[listening])
        except KeyboardInterrupt:
            return


def make_server(app: Guard, **settings: Any) -> uvicorn.Server:
    """Return the server of an app, which says nothing of itself; ``settings``: more of uvicorn's."""
    return uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, **settings))


def announce_page(listening: socket.socket, token: str, announce: Callable[[str], None], *, browser: bool) -> None:
    """Tell the address of a page behind ``token``, and open it in the browser if wanted."""
    address = f"http://localhost:{listening.getsockname()[1]}/{token}/"
    announce(address)
    if browser:
        webbrowser.open(address)


def listen(port: int) -> socket.socket:
    """Take a port on this machine; raises ``InvalidOption`` if it is taken."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise InvalidOption("port", f"{port} cannot be used: {in_words(error)}; choose another one") from error


def _folder(name: str | None) -> Path | None:
    if name is None:
        return None
    path = home_path(name).absolute()
    make_folder(path)
    return path
