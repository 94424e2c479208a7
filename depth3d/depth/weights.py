"""Weights: found, fetched once, checked, never half there.

A download goes to ``NAME.part`` and is renamed when its size and SHA-256 are right. What was cut off goes on
where it stopped. One process fetches while others wait for it. A file that is not what it should be is named,
kept aside and fetched again. ``DEPTH3D_CACHE`` moves the folder, ``DEPTH3D_OFFLINE=1`` keeps this program from
reaching out at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.resources
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from depth3d.depth.card import ModelCard, WeightsFile
from depth3d.depth.fetch import fetch
from depth3d.errors import WeightsError

__all__ = ["Cached", "cache_folder", "cached", "check", "locate", "offline"]

_CHUNK = 1 << 20
_HUB = "https://huggingface.co"
_log = logging.getLogger("depth3d")


@dataclass(frozen=True, slots=True)
class Cached:
    """Weights that are on this disk."""

    path: Path
    bytes: int


def cache_folder() -> Path:
    """Where weights are kept: ``DEPTH3D_CACHE``, else the user's cache folder of this system."""
    own = os.environ.get("DEPTH3D_CACHE")
    return Path(own).expanduser() if own else user_cache_path("depth3d", appauthor=False)


def offline() -> bool:
    """Whether ``DEPTH3D_OFFLINE`` forbids to reach out."""
    return os.environ.get("DEPTH3D_OFFLINE", "").lower() not in ("", "0", "no", "false")


def cached(card: ModelCard) -> Cached | None:
    """The weights of ``card`` if one of its files is on this disk (unchecked), else None."""
    for file in files_of(card):
        path = _present(file)
        if path is not None:
            return Cached(path, path.stat().st_size)
    return None


def files_of(card: ModelCard) -> tuple[WeightsFile, ...]:
    """The files that hold the weights of ``card``: its own, which is downloaded, and equivalent ones."""
    if card.weights is None:
        return ()
    return (card.weights, *(file for file in card.alternatives.values() if file is not card.weights))


def address(url: str) -> str:
    """``url``, with the model hub replaced by the mirror in ``HF_ENDPOINT`` if that is set."""
    mirror = os.environ.get("HF_ENDPOINT", "").rstrip("/")
    return mirror + url.removeprefix(_HUB) if mirror and url.startswith(f"{_HUB}/") else url


def locate(card: ModelCard, *, timeout: float = 30.0, quiet: bool = False) -> Path:
    """The checked weights of ``card`` on this disk; fetches them if they are missing or damaged.

    Raises ``WeightsError`` that says which file to put where, and from which address, if they cannot be had.

    Parameters
    ----------
    timeout : float
        Seconds without an answer after which the network counts as gone.
    quiet : bool
        No progress on standard error.
    """
    weights = card.weights
    if weights is None:
        raise WeightsError(f"{card.name} needs no weights file: its module comes with them")
    if weights.resource is not None:
        return _shipped(card, weights.resource)
    for file in files_of(card):
        found = _present(file)
        if found is not None and check(found, file):
            return found
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _only_one(folder / f"{weights.file}.lock"):
            return _fetched(card, weights, folder, timeout=timeout, quiet=quiet)
    except OSError as error:
        raise WeightsError(
            f"{card.name}: the folder for weights {folder} cannot be used: {error.strerror or error};"
            " set DEPTH3D_CACHE to another one"
        ) from error


def check(path: Path, weights: WeightsFile) -> bool:
    """Whether the file is what was published, as far as that is known; a pass is remembered beside it."""
    if weights.size is not None and path.stat().st_size != weights.size:
        return False
    if weights.sha256 is None:
        return path.stat().st_size > 0
    return digest(path).startswith(weights.sha256)


def digest(path: Path) -> str:
    """SHA-256 of the file; remembered beside it (``NAME.sha256``) for as long as its size and time stay."""
    status = path.stat()
    stamp = f"{status.st_size} {status.st_mtime_ns}"
    note = _note(path)
    try:
        value, _, known = note.read_text(encoding="ascii").strip().partition(" ")
        if known == stamp and len(value) == 64:
            return value
    except (OSError, ValueError):
        pass
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hashed.update(chunk)
    value = hashed.hexdigest()
    with contextlib.suppress(OSError):  # a read-only folder: it is hashed again next time
        note.write_text(f"{value} {stamp}\n", encoding="ascii")
    return value


@contextlib.contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """One process at a time; the others say for what they wait. A process that dies lets go of the lock."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=2)
    except Timeout:
        _log.warning("waiting for another process that fetches %s", path.stem)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _fetched(card: ModelCard, weights: WeightsFile, folder: Path, *, timeout: float, quiet: bool) -> Path:
    """With the lock held: another process may have brought the file meanwhile."""
    complaint = ""
    found = _present(weights)
    if found is not None:
        if check(found, weights):
            return found
        complaint = f" ({_put_aside(found, weights)})"
    final = folder / weights.file
    if weights.url is None or offline():
        why = "nobody may hand it out, so you have to bring it" if weights.url is None else "DEPTH3D_OFFLINE is set"
        raise WeightsError(f"{card.name}: its weights are not on this disk and {why}{complaint}. {how_to(weights)}")
    url = address(weights.url)
    for attempt in ("first", "last"):
        part = fetch(
            address(weights.url), final, expected=weights.size, hint=how_to(weights), timeout=timeout, quiet=quiet
        )
        if check(part, weights):
            os.replace(part, final)
            with contextlib.suppress(OSError):  # what was hashed as a part need not be hashed again
                os.replace(_note(part), _note(final))
            return final
        # What was resumed may be from another version of the file: once from the start, then give up.
        complaint = _put_aside(part, weights, name=weights.file)
        if attempt == "last":
            raise WeightsError(f"{card.name}: {url} gave the wrong file twice: {complaint}. {how_to(weights)}")
    raise AssertionError("unreachable")


def how_to(weights: WeightsFile) -> str:
    """What to do by hand: which file to put where, and its address."""
    where = f" from {address(weights.url)}" if weights.url else ""
    return f"Get {weights.file}{where} and put it into {cache_folder()} (or give its path as --model FILE)"


def _present(weights: WeightsFile) -> Path | None:
    if weights.resource is not None:
        try:
            return _resource(weights.resource)
        except (FileNotFoundError, ModuleNotFoundError):
            return None
    for name in (weights.file, *weights.also):
        path = cache_folder() / name
        if path.is_file():
            return path
    return None


def _put_aside(path: Path, weights: WeightsFile, name: str | None = None) -> str:
    """Rename a damaged file, and say what is wrong with it and where it is now."""
    size = path.stat().st_size
    if weights.size is not None and size != weights.size:
        wrong = f"{size} bytes instead of {weights.size}"
    else:
        wrong = f"SHA-256 {digest(path)} instead of {weights.sha256}"
    name = name or path.name
    number = 1
    while (aside := path.with_name(f"{name}.damaged-{number}")).exists():
        number += 1
    os.replace(path, aside)
    _note(path).unlink(missing_ok=True)
    return f"{name} was damaged, {wrong}; kept as {aside}"


def _shipped(card: ModelCard, resource: str) -> Path:
    try:
        path = _resource(resource)
    except (FileNotFoundError, ModuleNotFoundError) as error:
        raise WeightsError(f"{card.name}: {resource} is missing from this installation; install it again") from error
    return path


def _resource(resource: str) -> Path:
    package, _, inside = resource.partition(":")
    path = Path(str(importlib.resources.files(package).joinpath(inside)))
    if not path.is_file():
        raise FileNotFoundError(path)
    return path
