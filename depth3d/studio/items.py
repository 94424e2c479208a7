"""The files that a page works with: those named on the command line, and those dropped into the page."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from depth3d.errors import InvalidInput, WriteError, in_words

__all__ = ["Item", "Library", "clean_name"]

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST = 120


def clean_name(name: str) -> str:
    """Return a name from the page as a plain file name that every system takes: no folder, no control character.

    Parameters
    ----------
    name : str
        What the browser says; may be hostile.
    """
    last = re.split(r"[/\\]", name)[-1]
    plain = _FORBIDDEN.sub("_", last).strip(" .")
    stem, dot, suffix = plain.rpartition(".")
    if not dot:
        stem, suffix = plain, ""
    stem = (stem.lstrip(".")[:_LONGEST] or "photo").encode("utf-8", "ignore")[:_LONGEST].decode("utf-8", "ignore")
    plain = f"{stem}.{suffix[:12]}" if suffix else stem
    return f"_{plain}" if _RESERVED.fullmatch(plain) else plain


@dataclass(slots=True)
class Item:
    """One file of the page.

    Parameters
    ----------
    key : str
        Random name in addresses.
    path : Path
        The file.
    dropped : bool
        It came through the page and is removed at exit; its results go to the folder for results.
    facts : dict[str, Any]
        What the worker found: kind, size, length.
    thumbnail : bytes
        A small JPEG.
    strokes : list[dict[str, Any]] | None
        Strokes painted in the page; None = those beside the photo, if any.
    frames : dict[float, list[dict[str, Any]]] | None
        Of a clip: strokes by the time of their frame, seconds; None = those beside the clip, if any.
    """

    key: str
    path: Path
    dropped: bool
    facts: dict[str, Any] = field(default_factory=dict)
    thumbnail: bytes = b""
    strokes: list[dict[str, Any]] | None = None
    frames: dict[float, list[dict[str, Any]]] | None = None

    def described(self) -> dict[str, Any]:
        """Return what the page needs, as JSON; never the path of the file."""
        return {"key": self.key, "name": self.path.name, "dropped": self.dropped, **self.facts, **self._painted()}

    def _painted(self) -> dict[str, Any]:
        if self.frames is not None:
            return {"painted": [{"time": time, "strokes": strokes} for time, strokes in self.frames.items()]}
        return {} if self.strokes is None else {"strokes": self.strokes}


class Library:
    """All items of one studio.

    Parameters
    ----------
    folder : Path
        Private folder for dropped files; removed at exit by its owner.
    largest : int
        Most bytes of one file.
    room : int
        Most bytes of all dropped files together.
    """

    def __init__(self, folder: Path, largest: int, room: int) -> None:
        self.items: dict[str, Item] = {}
        self._folder, self._largest, self._room = folder, largest, room
        self._used = 0

    def add(self, path: Path) -> Item:
        """Add a file that the user named on the command line."""
        item = Item(secrets.token_urlsafe(8), path, dropped=False)
        self.items[item.key] = item
        return item

    def get(self, key: object) -> Item:
        """Return an item; raises ``InvalidInput`` for an unknown one."""
        if not isinstance(key, str) or key not in self.items:
            raise InvalidInput("this file is not open any more; drop it again")
        return self.items[key]

    def remove(self, key: str) -> None:
        """Forget an item, and delete the file if it was dropped."""
        item = self.items.pop(key, None)
        if item is not None and item.dropped:
            self._used -= item.path.stat().st_size if item.path.exists() else 0
            item.path.unlink(missing_ok=True)

    async def receive(self, name: str, batch: str, length: int | None, chunks: AsyncIterator[bytes]) -> Item:
        """Stream an upload to disk; files that are dropped together share a folder, so that depth maps are found.

        Raises ``InvalidInput`` if it is larger than allowed, ``WriteError`` if the disk is full.

        Parameters
        ----------
        name : str
            The file's name.
        batch : str
            Name of the drop, letters and digits.
        length : int | None
            What the browser announces.
        chunks : AsyncIterator[bytes]
            The content.
        """
        if not re.fullmatch(r"[0-9a-zA-Z]{1,32}", batch):
            raise InvalidInput("batch: expected letters and digits")
        self._check(length or 0, name)
        folder = self._folder / f"drop-{batch}"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / clean_name(name)
        if path.exists():
            folder = self._folder / f"drop-{batch}-{secrets.token_hex(4)}"
            folder.mkdir(mode=0o700)
            path = folder / path.name
        size = 0
        try:
            with path.open("xb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    self._used += len(chunk)
                    self._check(0, name, size)
                    file.write(chunk)
        except BaseException as error:
            path.unlink(missing_ok=True)
            self._used -= size
            if isinstance(error, OSError):
                raise WriteError(path.name, f"cannot be stored: {in_words(error)}") from error
            raise
        item = Item(secrets.token_urlsafe(8), path, dropped=True)
        self.items[item.key] = item
        return item

    def _check(self, more: int, name: str, size: int = 0) -> None:
        if more > self._largest or size > self._largest:
            limit = f"{self._largest / 1e9:g} GB"
            raise InvalidInput(f"{clean_name(name)} is larger than {limit}; start depth3d studio with its name")
        if self._used + more > self._room:
            raise InvalidInput("too many files are open; close some")
