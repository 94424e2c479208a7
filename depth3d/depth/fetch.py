"""Download one file over HTTP with resume and retries; check its size and content type."""

from __future__ import annotations

import errno
import http.client
import logging
import os
import re
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm import tqdm

from depth3d.errors import WeightsError, in_words

__all__ = ["fetch"]

ATTEMPTS = 5
PAUSE = 0.5  # seconds before the second attempt; doubled each time
_CHUNK = 1 << 18
_log = logging.getLogger("depth3d")


def fetch(url: str, final: Path, *, limits: tuple[int, int], hint: str, timeout: float, quiet: bool) -> Path:
    """Download ``url`` to ``final`` + ``.part`` and return that path; an existing partial file is resumed.

    Raises ``WeightsError`` if the server is unreachable, refuses or sends another file, or the disk is full.
    A partial file stays on the disk, and the next call resumes it.

    Parameters
    ----------
    url : str
        Address of the file, http or https.
    final : Path
        Final path of the file; this function only writes the partial file beside it.
    limits : tuple[int, int]
        Smallest and largest size in bytes; never more than the largest is written.
    hint : str
        Instructions for a manual download, added to error messages.
    timeout : float
        Seconds without an answer after which an attempt fails.
    quiet : bool
        Show no progress.
    """
    part = final.with_name(final.name + ".part")
    for attempt in range(1, ATTEMPTS + 1):
        before = part.stat().st_size if part.exists() else 0
        try:
            _transfer(url, part, limits=limits, timeout=timeout, quiet=quiet)
            return part
        except _Refused as error:
            raise WeightsError(f"{url}: {error}. {hint}") from error
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                raise WeightsError(f"{url}: the server answered {error.code} {error.reason}. {hint}") from error
            trouble: Exception = error
        except (OSError, http.client.HTTPException, _CutOff) as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise WeightsError(_disk_full(final, limits)) from error
            trouble = error
        came = part.exists() and part.stat().st_size > before
        if attempt == ATTEMPTS or (_unreachable(trouble) and not came):
            raise WeightsError(f"{url}: cannot be downloaded ({_reason(trouble)}). {hint}") from trouble
        _log.info("%s: %s; retrying", url, _reason(trouble))
        time.sleep(PAUSE * 2 ** (attempt - 1))
    raise AssertionError("unreachable")


class _CutOff(Exception):
    """The connection ended before the file was complete."""


class _Refused(Exception):
    """The response cannot be the requested file; retrying does not help."""


class Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to anything else, and only to http and https."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """See ``urllib.request.HTTPRedirectHandler``."""
        before, after = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if after not in ("http", "https") or (before == "https" and after != "https"):
            raise _Refused(f"the server redirects from {before} to {after}, which is not secure")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _transfer(url: str, part: Path, *, limits: tuple[int, int], timeout: float, quiet: bool) -> None:
    least, most = limits
    have = part.stat().st_size if part.exists() else 0
    if have > most:
        part.unlink()
        have = 0
    if have == least == most:
        return
    tag = part.with_name(part.name + ".etag")
    answer = _ask(url, part, tag, have, timeout)
    if answer is None:
        return
    with answer:
        start = _checked_start(answer, have)
        if start < 0:
            part.unlink(missing_ok=True)
            raise _CutOff("the server sent a different part of the file than requested")
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length is not None and length.isdigit() else None
        if total is not None and not least <= total <= most:
            part.unlink(missing_ok=True)
            wanted = f"{least}" if least == most else f"{least} to {most}"
            raise _Refused(f"the server has another file of {total} bytes, expected {wanted}")
        _remember(tag, answer.headers.get("ETag"))
        _require_space(part, (total or least) - start)
        _write(answer, part, start, total, most, quiet)
    if total is not None and part.stat().st_size < total:
        raise _CutOff(f"the connection ended after {part.stat().st_size} of {total} bytes")
    tag.unlink(missing_ok=True)


def _ask(url: str, part: Path, tag: Path, have: int, timeout: float) -> Any:
    """Request everything after the first ``have`` bytes; return the response, or None if the part is complete."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise _Refused("not an http or https address")
    headers = {"User-Agent": "depth3d", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if tag.exists():
            headers["If-Range"] = tag.read_text(encoding="ascii")  # a changed file is sent whole
    try:
        opener = urllib.request.build_opener(Redirects)
        return opener.open(urllib.request.Request(url, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # the part is complete, or of another version of the file
            if error.headers.get("Content-Range") == f"bytes */{have}":
                return None
            part.unlink()
            raise _CutOff("the partial file on this disk is longer than the file") from error
        raise


def _checked_start(answer: Any, have: int) -> int:
    """Return the offset of the response in the file, bytes: 0, ``have`` when resumed, or -1 for any other part.

    Raises `_Refused` for a web page (for example the login page of a network) and for a compressed body.
    """
    kind = answer.headers.get_content_type()
    if kind in ("text/html", "application/xhtml+xml"):
        raise _Refused("the server sent a web page instead of the file (the login page of your network?)")
    coding = answer.headers.get("Content-Encoding", "identity").lower()
    if coding not in ("", "identity"):
        raise _Refused(f"the server sent the file compressed ({coding}), which was not requested")
    if answer.status != 206:
        return 0
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", "").strip())
    return have if found is not None and int(found[1]) == have else -1


def _write(answer: Any, part: Path, start: int, total: int | None, most: int, quiet: bool) -> None:
    """Append the response to the ``start`` bytes in ``part``; write at most ``most`` bytes in total."""
    written = start
    with part.open("ab" if start else "wb") as file, _progress(part, total, start, quiet) as bar:
        while chunk := answer.read(_CHUNK):
            written += len(chunk)
            if written > most:
                break
            file.write(chunk)
            bar.update(len(chunk))
        file.flush()
        os.fsync(file.fileno())
    if written > most:
        part.unlink(missing_ok=True)
        raise _Refused(f"the server sent more than the expected {most} bytes")


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
        _log.warning("downloading %s%s", name, "" if total is None else f" ({total / 1e6:.0f} MB)")
    with tqdm(desc=name, total=total, initial=have, unit="B", unit_scale=True, disable=disable, file=sys.stderr) as bar:
        yield bar


def _unreachable(error: Exception) -> bool:
    """Whether the server is unreachable: then retrying immediately is useless."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(reason, OSError) and not isinstance(reason, ConnectionResetError)


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return in_words(reason) if isinstance(reason, BaseException) else str(reason)


def _disk_full(final: Path, limits: tuple[int, int]) -> str:
    size = f", {limits[0] / 1e6:.0f} MB are needed" if limits[0] > 1 else ""
    return (
        f"{final.name}: the disk of {final.parent} is full{size}. Free some space and try again (the download continues"
        " where it stopped), or set DEPTH3D_CACHE to a folder on another disk"
    )
