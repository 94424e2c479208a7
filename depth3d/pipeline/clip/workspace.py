"""Work folder of a clip conversion: finished segments and their options, so that a stopped run can resume.

``.clip.mp4.depth3d/`` is in the folder of the output. ``depth/`` contains the first pass, ``pictures/`` the encoded
segments. Each of these checkpoints has a ``key.json`` with everything its content depends on. A segment is written
under a temporary name, flushed and renamed, so that a file with its final name is complete. The content of the folder
is not trusted: links, files of other users and damaged JSON are detected, and links are never followed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from depth3d.errors import VideoError, WriteError, in_words
from depth3d.io.atomic import publish
from depth3d.pipeline.clip.lock import FolderLock

__all__ = ["Checkpoint", "WorkFolder", "whole"]

log = logging.getLogger("depth3d.video")

_KEPT = "the finished segments are kept: free disk space if it is full, and run the same command again"


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Context manager: yield a temporary path; flush it and rename it to ``path`` when the block ends."""
    temporary = path.with_name(f"part-{path.name}")
    try:
        yield temporary
        _settle(temporary, path)
    except OSError as error:
        raise WriteError(path, f"cannot be written: {in_words(error)}; {_KEPT}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _settle(temporary: Path, path: Path) -> None:
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())  # a rename may reach the disk before the data does
    os.replace(temporary, path)


class Checkpoint:
    """A folder of results that are valid for one ``key``; emptied if its stored key differs."""

    def __init__(self, folder: Path, key: dict[str, Any], what: str) -> None:
        self.folder = folder
        self._key = json.loads(json.dumps(key, default=str))
        self._prepare(what)

    @classmethod
    def shared(cls, folder: Path) -> Checkpoint:
        """Return a checkpoint that another process has prepared: nothing is checked or deleted."""
        made = cls.__new__(cls)
        made.folder, made._key = folder, None
        return made

    def _prepare(self, what: str) -> None:
        before = _read_json(self.folder / "key.json")
        if before != self._key and self.folder.exists():
            if isinstance(before, dict):
                changed = sorted(n for n in {*before, *self._key} if before.get(n) != self._key.get(n))
                log.warning("%s starts over: changed since the last run: %s", what, ", ".join(changed))
            elif any(self.folder.iterdir()):
                log.warning("%s starts over: %s is damaged", what, self.folder / "key.json")
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        for leftover in self.folder.glob("part-*"):
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()
        self.write_json("key.json", self._key)

    def adopt(self, temporary: Path, path: Path) -> None:
        """Rename a finished file to its final name."""
        try:
            _settle(temporary, path)
        except OSError as error:
            raise WriteError(path, f"cannot be written: {in_words(error)}; {_KEPT}") from error

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Add to a ``WriteError`` of the block that the finished segments are kept, and what to do."""
        try:
            yield
        except WriteError as error:
            raise WriteError(error.path, f"{error.reason}; {_KEPT}") from error

    @contextmanager
    def result(self, target: Path, *, force: bool) -> Iterator[Path]:
        """Yield a temporary path in this folder; rename it to ``target`` when the block succeeds.

        A killed run leaves nothing next to the target; the next run deletes its temporary file.

        Raises
        ------
        ExistsError
            If the target was created meanwhile and ``force`` is false.
        WriteError
            For disk errors.
        """
        temporary = self.folder / f"part-result{target.suffix}"
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            publish(temporary, target, force=force)
        except WriteError as error:
            if self.folder not in error.path.parents:
                raise
            raise WriteError(target, f"{error.reason}; {_KEPT}") from error
        except OSError as error:
            raise WriteError(target, f"cannot be written: {in_words(error)}; {_KEPT}") from error
        finally:
            temporary.unlink(missing_ok=True)

    def write_json(self, name: str, content: Any) -> None:
        """Write ``content`` as JSON, atomically."""
        with whole(self.folder / name) as temporary:
            temporary.write_text(json.dumps(content), encoding="utf-8")

    def read_json(self, name: str) -> Any:
        """Read a JSON file; None if it is missing or damaged. The content is not trusted: validate it before use."""
        return _read_json(self.folder / name)

    def remove(self) -> None:
        """Delete the folder and its content."""
        shutil.rmtree(self.folder, ignore_errors=True)


class WorkFolder:
    """The work folder, locked against a second run on the same clip; a context manager.

    Raises ``VideoError`` if another run has locked it, ``WriteError`` if it cannot be created or is unsafe: a link, a
    folder that contains links, a folder or file of another user.

    Parameters
    ----------
    beside : Path
        Folder of the output, in which the work folder is created.
    name : str
        File name of the output.
    """

    def __init__(self, beside: Path, name: str) -> None:
        # A name may have 255 bytes.
        short = os.fsencode(name)
        if len(short) > 240:
            digest = hashlib.sha256(short).hexdigest()[:16]
            name = f"{os.fsdecode(short[:200])}.{digest}"
        self.folder = beside / f".{name}.depth3d"
        self._lock = FolderLock(self.folder / "running")

    def __enter__(self) -> WorkFolder:
        try:
            self._refuse_link()
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._refuse_link()
            if not self._lock.acquire():
                raise VideoError(f"{self.folder}: another run is converting this clip; wait until it is finished")
        except OSError as error:
            raise WriteError(self.folder, f"cannot be created: {in_words(error)}") from error
        try:
            self._refuse_foreign_content()
        except BaseException as error:
            self._lock.release()
            if isinstance(error, OSError):
                raise WriteError(self.folder, f"cannot be read: {in_words(error)}") from error
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._lock.release()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def checkpoint(self, name: str, key: dict[str, Any], what: str) -> Checkpoint:
        """Return the checkpoint ``name``; emptied if its stored key differs from ``key``."""
        return Checkpoint(self.folder / name, key, what)

    def remove(self, name: str) -> None:
        """Delete the checkpoint ``name`` if it exists."""
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def has_finished(self, target: Path, key: dict[str, Any] | None = None) -> bool:
        """Return whether an earlier run finished ``target`` (with this ``key``) and it has not changed since."""
        note = _read_json(self.folder / f"finished-{target.name}.json")
        try:
            found = target.stat()
            same = [found.st_size, found.st_mtime_ns] == note["file"]
            return same and (key is None or note["key"] == json.loads(json.dumps(key, default=str)))
        except (OSError, TypeError, KeyError):
            return False

    def note_finished(self, target: Path, key: dict[str, Any]) -> None:
        """Record that ``target`` is finished, so that a resumed run of several outputs does not repeat it."""
        found = target.stat()
        note = {"file": [found.st_size, found.st_mtime_ns], "key": key}
        with whole(self.folder / f"finished-{target.name}.json") as temporary:
            temporary.write_text(json.dumps(note, default=str), encoding="utf-8")

    def forget_finished(self) -> None:
        """Delete the records of finished outputs."""
        for note in self.folder.glob("finished-*.json"):
            note.unlink(missing_ok=True)

    def progress(self) -> tuple[int, int]:
        """Return the frames finished by earlier runs in the first and second pass, for any options."""
        done = _read_json(self.folder / "depth" / "done.json")
        frames = done.get("frames") if isinstance(done, dict) else 0
        notes = [_read_json(path) for path in self.folder.glob("pictures*/segment-*.json")]
        ticks = [note.get("ticks") for note in notes if isinstance(note, dict)]
        return frames if isinstance(frames, int) else 0, sum(len(one) for one in ticks if isinstance(one, list))

    def _refuse_link(self) -> None:
        if self.folder.is_symlink():
            raise WriteError(self.folder, "is a symbolic link, which is not followed; delete it and run again")

    def _refuse_foreign_content(self) -> None:
        """Raise unless the folder contains only regular files and folders of this user."""
        # Network shares may report another owner than this process: compare with the owner of a new file.
        ours = {self._lock.owner, os.geteuid()} if hasattr(os, "geteuid") else {self._lock.owner}
        for path in (self.folder, *_walk(self.folder)):
            found = path.lstat()
            if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
                why = "is a link or a special file"
            elif found.st_uid not in ours:
                why = "belongs to another user"
            else:
                continue
            raise WriteError(
                self.folder, f"cannot be resumed safely: {path.name} {why}; delete the folder and run again"
            )


def _walk(folder: Path) -> Iterator[Path]:
    """Yield all entries below ``folder`` without following links."""
    for entry in sorted(folder.iterdir()):
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
