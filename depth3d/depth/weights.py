"""Find, download and verify weights files.

A download is written to ``NAME.part`` and renamed when `verify` accepts it. Interrupted downloads are resumed. One
process downloads while others wait. A file that fails the check is reported, renamed and downloaded again.
``DEPTH3D_CACHE`` sets the folder, ``DEPTH3D_OFFLINE=1`` forbids network access, and ``HF_ENDPOINT`` is the address of a
mirror of the model hub.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from depth3d.depth.card import ModelCard, WeightsFile
from depth3d.depth.verify import cache_folder, digest, fault_of, note_of, size_limits
from depth3d.errors import WeightsError, in_words

__all__ = ["Cached", "cache_folder", "cached", "digest", "files_of", "locate", "offline"]

_HUB = "https://huggingface.co"
_log = logging.getLogger("depth3d")


@dataclass(frozen=True, slots=True)
class Cached:
    """A weights file on this disk: its path and its size in bytes."""

    path: Path
    bytes: int


def offline() -> bool:
    """Whether ``DEPTH3D_OFFLINE`` forbids network access."""
    return os.environ.get("DEPTH3D_OFFLINE", "").lower() not in ("", "0", "no", "false")


def cached(card: ModelCard) -> Cached | None:
    """Return the weights file of ``card`` on this disk (unchecked), or None if there is no such file."""
    for file in files_of(card):
        path = _present(file)
        if path is not None:
            return Cached(path, path.stat().st_size)
    return None


def files_of(card: ModelCard) -> tuple[WeightsFile, ...]:
    """Return the files with the weights of ``card``: first the one that is downloaded, then equivalent ones."""
    if card.weights is None:
        return ()
    return (card.weights, *(file for file in card.alternatives.values() if file is not card.weights))


def address(url: str) -> str:
    """Return ``url`` with the model hub replaced by the mirror in ``HF_ENDPOINT`` if that is set."""
    mirror = os.environ.get("HF_ENDPOINT", "").rstrip("/")
    return mirror + url.removeprefix(_HUB) if mirror and url.startswith(f"{_HUB}/") else url


def locate(card: ModelCard, *, timeout: float = 30.0, quiet: bool = False, download: bool = True) -> Path:
    """Return the verified weights file of ``card``; download it if it is missing or damaged.

    Raises ``WeightsError`` with the file name, its folder and its address if it is not available.

    Parameters
    ----------
    card : ModelCard
        The network.
    timeout : float
        Seconds without an answer after which the server counts as unreachable.
    quiet : bool
        Show no progress on standard error.
    download : bool
        False: only use files on this disk; damaged ones are renamed.
    """
    weights = card.weights
    if weights is None:
        raise WeightsError(f"{card.name} has no weights file and needs none")
    if weights.resource is not None:
        return _shipped(card, weights.resource)
    found = _checked(card)
    if found is not None:
        return found
    if not download:
        complaint = _set_aside_damaged(card)
        raise WeightsError(f"{card.name}: {complaint or 'its weights are not on this disk'}")
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _only_one(folder / f"{weights.file}.lock"):
            return _fetched(card, weights, folder, timeout=timeout, quiet=quiet)
    except OSError as error:
        raise WeightsError(
            f"{card.name}: the folder for weights, {folder}, cannot be used ({in_words(error)});"
            " set DEPTH3D_CACHE to another folder"
        ) from error


@contextlib.contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Hold a lock between processes; a process that waits logs a line. The lock is released when its process ends."""
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=2)
    except Timeout:
        _log.warning("waiting for another process that downloads %s", path.stem)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fetched(card: ModelCard, weights: WeightsFile, folder: Path, *, timeout: float, quiet: bool) -> Path:
    """Download with the lock held; another process may have downloaded the file meanwhile."""
    from depth3d.depth.fetch import fetch  # loads ssl and http.client: needless where weights are on this disk

    final = folder / weights.file
    if (complaint := _set_aside_damaged(card)) == "" and (found := _checked(card)) is not None:
        return found
    complaint = f" ({complaint})" if complaint else ""
    if weights.url is None or offline():
        why = "cannot be downloaded automatically" if weights.url is None else "DEPTH3D_OFFLINE is set"
        raise WeightsError(f"{card.name}: its weights are not on this disk and {why}{complaint}. {how_to(weights)}")
    url = address(weights.url)
    for attempt in ("first", "last"):
        limits = size_limits(weights)
        part = fetch(url, final, limits=limits, hint=how_to(weights), timeout=timeout, quiet=quiet)
        fault = fault_of(part, weights, card)
        if fault is None:
            os.replace(part, final)
            with contextlib.suppress(OSError):  # the stored hash of the part is also that of the file
                os.replace(note_of(part), note_of(final))
            return final
        # A resumed part may be of another version of the file: download once more from the start, then give up.
        complaint = _put_aside(part, fault, name=weights.file)
        if attempt == "last":
            raise WeightsError(f"{card.name}: {url} gave the wrong file twice: {complaint}. {how_to(weights)}")
    raise AssertionError("unreachable")


def _checked(card: ModelCard) -> Path | None:
    """Return the first file of ``card`` on this disk that passes the check, or None."""
    for file in files_of(card):
        found = _present(file)
        if found is not None and fault_of(found, file, card) is None:
            return found
    return None


def _set_aside_damaged(card: ModelCard) -> str:
    """Rename the damaged files of ``card``; return a description of them for messages."""
    said = []
    for file in files_of(card):
        found = _present(file)
        fault = None if found is None else fault_of(found, file, card)
        if found is not None and fault is not None:
            said.append(_put_aside(found, fault))
    return "; ".join(said)


def how_to(weights: WeightsFile) -> str:
    """Return instructions for the user: which file to get from where, and the folder to put it into."""
    where = f" from {address(weights.url)}" if weights.url else ""
    return f"Get {weights.file}{where} and put it into {cache_folder()} (or give its path as `model`)"


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


def _put_aside(path: Path, fault: str, name: str | None = None) -> str:
    """Rename a damaged file; return a description of the fault and of the new path."""
    name = name or path.name
    number = 1
    while (aside := path.with_name(f"{name}.damaged-{number}")).exists():
        number += 1
    os.replace(path, aside)
    note_of(path).unlink(missing_ok=True)
    return f"{name} was damaged, {fault}; kept as {aside}"


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
