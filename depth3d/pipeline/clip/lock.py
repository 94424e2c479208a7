"""Lock a folder for one running process: by a file lock, else by a process number.

File locks are released when the process ends, even if it is killed. Some network file systems do not support them;
there the lock file itself, with process number and start time, is the lock.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from depth3d.io.leftovers import is_running, start_time

__all__ = ["FolderLock"]

_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


class FolderLock:
    """Lock on the file ``path``, held from ``acquire`` to ``release``.

    Parameters
    ----------
    path : Path
        The lock file; created by ``acquire``, deleted by ``release``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Acquire the lock; return False if another process holds it. ``OSError``: the file cannot be created."""
        while True:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
            taken = _lock(handle)
            holder = os.pread(handle, 200, 0).decode("ascii", "replace") if hasattr(os, "pread") else ""
            if taken is False or (taken is None and holder and _is_running(holder)):
                os.close(handle)
                return False
            if not _is_at(handle, self._path):  # the previous holder deleted the file meanwhile: try again
                os.close(handle)
                continue
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, f"{os.getpid()} {start_time(os.getpid())}".encode())
            self._handle = handle
            return True

    @property
    def owner(self) -> int:
        """User ID that this file system reports for newly created files."""
        if self._handle is None:
            raise ValueError("the lock is not held")
        return os.fstat(self._handle).st_uid

    def release(self) -> None:
        """Delete the lock file and release the lock."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        if os.name == "nt":  # open files cannot be deleted on Windows
            os.close(handle)
            self._path.unlink(missing_ok=True)
            return
        self._path.unlink(missing_ok=True)
        os.close(handle)


def _lock(handle: int) -> bool | None:
    """Lock a file: True = acquired, False = held by another process, None = file locks are not supported."""
    if os.name == "nt":
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return None
        raise
    return True


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _is_running(holder: str) -> bool:
    """Return whether the process that wrote ``"NUMBER START"`` is another one that is still running."""
    number, _, started = holder.partition(" ")
    if not number.isdecimal() or not started.isdecimal() or int(number) == os.getpid():
        return False
    return is_running(int(number), int(started))
