"""One file over HTTP to the disk: resumes, tries again, says what to do when it cannot."""

from __future__ import annotations

import errno
import http.client
import logging
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from depth3d.errors import WeightsError

__all__ = ["fetch"]

ATTEMPTS = 5
PAUSE = 0.5  # seconds before the second attempt; doubled each time
_CHUNK = 1 << 18
_log = logging.getLogger("depth3d")


def fetch(url: str, final: Path, *, expected: int | None, hint: str, timeout: float, quiet: bool) -> Path:
    """Fetch ``url`` into ``final`` + ``.part`` and return that path; what is there already is resumed.

    Raises ``WeightsError`` when there is no network, the server refuses, or the disk is full. The part that
    came stays, so that the next call goes on from there.

    Parameters
    ----------
    expected : int | None
        Size in bytes, if known.
    hint : str
        What the user can do by hand, for the error message.
    """
    part = final.with_name(final.name + ".part")
    for attempt in range(1, ATTEMPTS + 1):
        before = part.stat().st_size if part.exists() else 0
        try:
            _transfer(url, part, expected=expected, timeout=timeout, quiet=quiet)
            return part
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                raise WeightsError(f"{url} answers {error.code} {error.reason}. {hint}") from error
            trouble: Exception = error
        except (OSError, http.client.HTTPException, _CutOff) as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise WeightsError(_disk_full(final, expected)) from error
            trouble = error
        came = part.exists() and part.stat().st_size > before
        if attempt == ATTEMPTS or (_unreachable(trouble) and not came):
            raise WeightsError(f"{url} cannot be fetched ({_told(trouble)}). {hint}") from trouble
        _log.info("%s: %s; going on in a moment", url, _told(trouble))
        time.sleep(PAUSE * 2 ** (attempt - 1))
    raise AssertionError("unreachable")


class _CutOff(Exception):
    """The connection ended before the file did."""


def _transfer(url: str, part: Path, *, expected: int | None, timeout: float, quiet: bool) -> None:
    have = part.stat().st_size if part.exists() else 0
    if expected is not None and have > expected:
        part.unlink()
        have = 0
    if expected is not None and have == expected:
        return
    tag = part.with_name(part.name + ".etag")
    headers = {"User-Agent": "depth3d", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if tag.exists():
            headers["If-Range"] = tag.read_text(encoding="ascii")  # another file by now: it is sent whole
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing after what we have: it is whole, or stale
            if error.headers.get("Content-Range") == f"bytes */{have}":
                return
            part.unlink()
            raise _CutOff("the part on disk is longer than the file") from error
        raise
    with answer:
        resumed = answer.status == 206
        _remember(tag, answer.headers.get("ETag"))
        length = answer.headers.get("Content-Length")
        total = None if length is None else int(length) + (have if resumed else 0)
        _require_space(part, (total or expected or 0) - (have if resumed else 0))
        with part.open("ab" if resumed else "wb") as file, _progress(part, total, have if resumed else 0, quiet) as bar:
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
            file.flush()
            os.fsync(file.fileno())
    if total is not None and part.stat().st_size < total:
        raise _CutOff(f"the connection ended after {part.stat().st_size} of {total} bytes")
    tag.unlink(missing_ok=True)


def _remember(tag: Path, value: str | None) -> None:
    if value and value.isascii() and not value.startswith("W/"):
        tag.write_text(value, encoding="ascii")
    else:
        tag.unlink(missing_ok=True)


def _require_space(part: Path, needed: int) -> None:
    if shutil.disk_usage(part.parent).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def _progress(part: Path, total: int | None, have: int, quiet: bool) -> Iterator[Any]:
    name = part.name.removesuffix(".part")
    disable = True if quiet else None  # None: only on a terminal
    if not quiet and not sys.stderr.isatty():
        _log.warning("fetching %s%s", name, "" if total is None else f" ({total / 1e6:.0f} MB)")
    with tqdm(desc=name, total=total, initial=have, unit="B", unit_scale=True, disable=disable, file=sys.stderr) as bar:
        yield bar


def _unreachable(error: Exception) -> bool:
    """No network at all: trying again at once is of no use."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(reason, OSError) and not isinstance(reason, ConnectionResetError)


def _told(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return str(getattr(reason, "strerror", None) or reason)


def _disk_full(final: Path, expected: int | None) -> str:
    size = "" if expected is None else f" for its {expected / 1e6:.0f} MB"
    return (
        f"{final.name}: the disk of {final.parent} is full{size}. Free some space and try again (what has come is"
        " kept and goes on from there), or set DEPTH3D_CACHE to a folder on another disk"
    )
