"""Run a part whose files were sent with it: in a private folder, from a few bytes of the clip; return its results.

This runs on the workers. `depth3d.pipeline.clip.parallel.shipping` sends the parts.
"""

from __future__ import annotations

import atexit
import copy
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from threading import Lock, get_ident
from typing import Any

from depth3d.io.leftovers import new_folder
from depth3d.io.video.partial import Range, merged, register, touched_holes, unregister

__all__ = ["Chunk", "Excerpt", "Reply", "Shipment", "run_shipment"]

Chunk = tuple[int, bytes]  # first byte, content


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Bytes of a large file: those of one part, and those that every part needs (None: sent before).

    Parameters
    ----------
    path : Path
        The file on the sender's machine.
    token : str
        Name under which a worker keeps the common bytes.
    size, changed : int
        Size of the whole file, bytes, and time of its last change, ns.
    chunks : tuple[Chunk, ...]
        The bytes of the part.
    common : tuple[Chunk, ...] | None
        The bytes that every part needs.
    """

    path: Path
    token: str
    size: int
    changed: int
    chunks: tuple[Chunk, ...]
    common: tuple[Chunk, ...] | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    """A part with all files that it reads, and the folder that it writes to.

    Parameters
    ----------
    function, arguments : Callable[..., Any], tuple[Any, ...]
        The part; paths in its arguments are those of the sender's machine.
    excerpts : tuple[Excerpt, ...]
        Clips.
    files : tuple[tuple[Path, bytes], ...]
        Small files.
    results : Path | None
        Folder whose new files are returned.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    excerpts: tuple[Excerpt, ...]
    files: tuple[tuple[Path, bytes], ...]
    results: Path | None


@dataclass(frozen=True, slots=True)
class Reply:
    """Result of a shipment, or what is missing to do it.

    Parameters
    ----------
    value : Any
        What the function returned.
    files : tuple[tuple[str, bytes], ...]
        New files of the folder of results.
    without_common : tuple[str, ...]
        Tokens of the excerpts whose common bytes this worker does not have.
    holes : tuple[tuple[str, int], ...]
        (token, place) of absent bytes that were read.
    """

    value: Any = None
    files: tuple[tuple[str, bytes], ...] = ()
    without_common: tuple[str, ...] = ()
    holes: tuple[tuple[str, int], ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the part is done."""
        return not self.without_common and not self.holes


_common: dict[str, tuple[Chunk, ...]] = {}
_folders: dict[int, Path] = {}
_lock = Lock()
_attempts: list[int] = [0]


def run_shipment(shipment: Shipment) -> Reply:
    """Unpack a shipment into a folder of this thread, call its function, return its value and the files it wrote."""
    known = {one.token: one.common if one.common is not None else _common.get(one.token) for one in shipment.excerpts}
    lacking = tuple(token for token, chunks in known.items() if chunks is None)
    if lacking:
        return Reply(without_common=lacking)
    _common.update({token: chunks for token, chunks in known.items() if chunks is not None})
    folder = _folder_of_thread()
    places = {str(one.path): _unpack(one, known[one.token] or (), folder) for one in shipment.excerpts}
    results = folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir()
    if shipment.results is not None:
        places[str(shipment.results)] = results
    for number, parent in enumerate(sorted({path.parent for path, _ in shipment.files})):
        places.setdefault(str(parent), folder / f"files{number}")
        places[str(parent)].mkdir(exist_ok=True)
    written = [(places[str(path.parent)] / path.name, content) for path, content in shipment.files]
    for place, content in written:
        place.write_bytes(content)
    failure: BaseException | None = None
    value: Any = None
    try:
        value = shipment.function(*(_moved(one, places) for one in shipment.arguments))
    except Exception as error:  # perhaps only because bytes are missing: seen below
        failure = error
    holes = tuple((one.token, place) for one in shipment.excerpts for place in touched_holes(places[str(one.path)]))
    for place, _ in written:
        place.unlink(missing_ok=True)
    for one in shipment.excerpts:
        unregister(places[str(one.path)])
        places[str(one.path)].unlink(missing_ok=True)
    if holes:
        _forget_folder()  # what was found out about the file with holes is remembered under its name
        return Reply(holes=holes)
    if failure is not None:
        raise failure
    made = sorted(results.iterdir(), key=lambda file: (file.suffix == ".json", file.name))
    return Reply(value, tuple((file.name, file.read_bytes()) for file in made))


def _folder_of_thread() -> Path:
    with _lock:
        folder = _folders.get(get_ident())
        if folder is None or not folder.is_dir():
            folder = new_folder()
            _folders[get_ident()] = folder
            atexit.register(shutil.rmtree, folder, True)
        return folder


def _forget_folder() -> None:
    with _lock:
        shutil.rmtree(_folders.pop(get_ident()), ignore_errors=True)


def _unpack(excerpt: Excerpt, common: tuple[Chunk, ...], folder: Path) -> Path:
    """Write a sparse file with the bytes of an excerpt and register it; return its path."""
    place = folder / excerpt.token / excerpt.path.name
    place.parent.mkdir(exist_ok=True)
    ranges: list[Range] = []
    with place.open("wb") as file:
        file.truncate(excerpt.size)
        for first, content in (*common, *excerpt.chunks):
            file.seek(first)
            file.write(content)
            ranges.append((first, first + len(content)))
    os.utime(place, ns=(excerpt.changed, excerpt.changed))
    if merged(ranges) != [(0, excerpt.size)]:
        register(place, ranges)
    return place


def _moved(value: Any, places: dict[str, Path]) -> Any:
    """Return a value with all paths below the keys of ``places`` moved there."""
    if isinstance(value, Path):
        for old in (value, *value.parents):
            if str(old) in places:
                return places[str(old)] / value.relative_to(old)
        return value
    if isinstance(value, str):
        return str(places[value]) if value in places else value
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(_moved(one, places) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        made = copy.copy(value)
        for item in fields(value):
            before = getattr(value, item.name)
            after = _moved(before, places)
            if after is not before:
                object.__setattr__(made, item.name, after)
        return made
    return value
