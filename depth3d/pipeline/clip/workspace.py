"""The work folder of a clip: what is done, and for which options, so that a stopped run can go on.

``.clip.mp4.depth3d/`` lies beside the output. ``depth/`` holds the first pass, ``pictures-NAME/`` the encoded
pieces of each output. Every part has a ``key.json`` with everything its content depends on; a piece appears
whole (written under another name, flushed, renamed), so whatever has its final name is good.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from depth3d.errors import VideoError, WriteError

__all__ = ["Part", "WorkFolder", "whole"]

log = logging.getLogger("depth3d.video")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary name; the file gets its own when it is complete and on the disk."""
    temporary = path.with_name(f"part-{path.name}")
    try:
        yield temporary
        _settle(temporary, path)
    except OSError as error:
        raise WriteError(path, f"cannot be written: {error.strerror or error}; the finished pieces are kept") from error
    finally:
        temporary.unlink(missing_ok=True)


def _settle(temporary: Path, path: Path) -> None:
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())  # a rename may reach the disk before the data does
    os.replace(temporary, path)


class Part:
    """One folder of pieces that depend on the same ``key``."""

    def __init__(self, folder: Path, key: dict[str, Any], what: str) -> None:
        self.folder = folder
        self._key = json.loads(json.dumps(key, default=str))
        self._prepare(what)

    def _prepare(self, what: str) -> None:
        file = self.folder / "key.json"
        before = _read_json(file)
        if before is not None and before != self._key:
            changed = sorted(n for n in {*before, *self._key} if before.get(n) != self._key.get(n))
            log.warning("%s starts afresh: changed since the last run: %s", what, ", ".join(changed))
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        for leftover in self.folder.glob("part-*"):
            leftover.unlink()
        self.write_json("key.json", self._key)

    def adopt(self, temporary: Path, path: Path) -> None:
        """Give a finished file its own name."""
        try:
            _settle(temporary, path)
        except OSError as error:
            raise WriteError(path, f"cannot be written: {error.strerror or error}") from error

    def write_json(self, name: str, content: Any) -> None:
        """Write a small file whole."""
        with whole(self.folder / name) as temporary:
            temporary.write_text(json.dumps(content), encoding="utf-8")

    def read_json(self, name: str) -> Any:
        """Read it back; None if it is not there."""
        return _read_json(self.folder / name)

    def remove(self) -> None:
        """Delete the folder and all in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


class WorkFolder:
    """A context manager: the folder, locked against a second run on the same clip.

    Parameters
    ----------
    beside : Path
        Where the output goes; the folder is made there.
    name : str
        Of the clip.
    """

    def __init__(self, beside: Path, name: str) -> None:
        self.folder = beside / f".{name}.depth3d"
        self._lock = self.folder / "running"

    def __enter__(self) -> WorkFolder:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._take_lock()
        except OSError as error:
            raise WriteError(self.folder, f"cannot be made: {error.strerror or error}") from error
        return self

    def __exit__(self, *exception: object) -> None:
        self._lock.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def part(self, name: str, key: dict[str, Any], what: str) -> Part:
        """The folder of pieces called ``name``; emptied if it was made for another ``key``."""
        return Part(self.folder / name, key, what)

    def remove(self, name: str) -> None:
        """Delete the part called ``name``, if it is there."""
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def progress(self) -> tuple[int, int]:
        """Frames that earlier runs have finished in the first and the second pass, whatever their options."""
        done = _read_json(self.folder / "depth" / "done.json") or {}
        notes = [_read_json(path) or {} for path in (self.folder / "pictures").glob("piece-*.json")]
        return int(done.get("frames", 0)), sum(len(note.get("ticks", [])) for note in notes)

    def _take_lock(self) -> None:
        for _ in range(2):
            try:
                with self._lock.open("x") as file:
                    file.write(str(os.getpid()))
                return
            except FileExistsError:
                if _alive(self._lock):
                    raise VideoError(
                        f"{self.folder}: another run works on this clip; wait for it (or delete {self._lock.name})"
                    ) from None
                self._lock.unlink(missing_ok=True)


def _alive(lock: Path) -> bool:
    try:
        number = int(lock.read_text())
        if number == os.getpid() or os.name == "nt":  # on Windows signal 0 would be a Ctrl-C
            return False
        os.kill(number, 0)
    except (ValueError, ProcessLookupError, FileNotFoundError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
