"""Temporary files and folders whose names identify their process, so that those of killed runs can be deleted.

The process mark in a name is ``HOST-PID-START``: hash of the host name, process number, start time of the process. The
start time distinguishes processes that reuse a number.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

__all__ = ["is_running", "new_folder", "process_mark", "remove_leftovers", "start_time", "temporary_folder"]

_MARK = r"([0-9a-f]{8})-(\d+)-(\d+)"
_FILE = re.compile(rf"\..*\.{_MARK}\.[0-9a-f]{{8}}\.part(\.\w+)*")
_FOLDER = re.compile(rf"depth3d-{_MARK}-\w+")


def start_time(process: int) -> int:
    """Return the start time of a process in system units (clock ticks); 0 if unknown."""
    return _state(process)[1]


def _state(process: int) -> tuple[str, int]:
    """Return the state of a process ("Z" = it has ended, but nobody asked for its exit code) and its start time."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
        words = text.rpartition(")")[2].split()  # fields 3 and 22 of proc(5); the name before ")" may contain anything
        return words[0], int(words[19])
    except (OSError, ValueError, IndexError):
        return "", 0


def is_running(process: int, started: int) -> bool:
    """Return whether the process with this number and start time is running; True if unknown."""
    if os.name == "nt":  # os.kill would end the process on Windows
        return True
    try:
        os.kill(process, 0)
    except PermissionError:
        pass
    except (ProcessLookupError, OverflowError):
        return False
    state, now = _state(process)
    return state not in ("Z", "X") and (not started or not now or now == started)


def process_mark() -> str:
    """Return the mark of this process for names of temporary files."""
    return f"{_host()}-{os.getpid()}-{start_time(os.getpid())}"


@lru_cache(maxsize=1)
def _host() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


@lru_cache(maxsize=256)  # once per folder: listing a large folder takes time
def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files in ``folder`` whose process on this machine has ended."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if _is_left(_FILE.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    os.unlink(entry.path)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Context manager: a new temporary folder, deleted at the end; those of killed runs are deleted first."""
    folder = new_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_folder() -> Path:
    """Create a temporary folder that the caller deletes; those of killed runs are deleted first."""
    _remove_folders(Path(tempfile.gettempdir()))
    return Path(tempfile.mkdtemp(prefix=f"depth3d-{process_mark()}-"))


@lru_cache(maxsize=4)
def _remove_folders(place: Path) -> None:
    with suppress(OSError):
        for entry in list(os.scandir(place)):
            if not _is_left(_FOLDER.fullmatch(entry.name)):
                continue
            with suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode) and (not hasattr(os, "geteuid") or found.st_uid == os.geteuid()):
                    shutil.rmtree(entry.path, ignore_errors=True)  # does not follow links


def _is_left(found: re.Match[str] | None) -> bool:
    if found is None or found[1] != _host():
        return False
    return not is_running(int(found[2]), int(found[3]))
