"""Check that a weights file is the published one, by size and hash, or by its structure if no hash was published.

If no hash was published, that of the first accepted file is stored (``hashes/NAME.sha256`` in the cache folder), and
later files of that name must match it.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import zipfile
from pathlib import Path

from platformdirs import user_cache_path

from depth3d.depth.card import ModelCard, WeightsFile
from depth3d.errors import WeightsError
from depth3d.quantities import home_path

__all__ = ["cache_folder", "digest", "fault_of", "note_of", "size_limits"]

_CHUNK = 1 << 20
_PER_TENSOR = (60, 800)
"""Smallest and largest overhead of a checkpoint file per tensor in bytes (116 in safetensors, 250 to 430 in torch)."""
_LARGEST = 16 << 30  # bytes; limit for a file of unknown size


def cache_folder() -> Path:
    """Return the folder for weights: ``DEPTH3D_CACHE`` if set, otherwise the user's cache folder."""
    own = os.environ.get("DEPTH3D_CACHE")
    return home_path(own) if own else user_cache_path("depth3d", appauthor=False)


def size_limits(file: WeightsFile) -> tuple[int, int]:
    """Return the smallest and largest size of ``file`` in bytes, from its published size or its tensors."""
    if file.size is not None:
        return file.size, file.size
    if file.layout is None:
        return 1, _LARGEST
    entries, values = file.layout
    return values + _PER_TENSOR[0] * entries, values + _PER_TENSOR[1] * entries + 4096


def fault_of(path: Path, file: WeightsFile, card: ModelCard) -> str | None:
    """Check the file at ``path`` as ``file`` of ``card``; return a description of the fault, or None."""
    size, (least, most) = path.stat().st_size, size_limits(file)
    if not least <= size <= most:
        return f"{size} bytes instead of {least}" if least == most else f"{size} bytes instead of {least} to {most}"
    if file.sha256 is not None:
        value = digest(path)
        return None if value.startswith(file.sha256) else f"SHA-256 {value} instead of {file.sha256}"
    pin = cache_folder() / "hashes" / f"{file.file}.sha256"
    first = _read_pin(pin)
    if first is None:
        fault = _structure_fault(path, file, card)
        if fault is None:
            with contextlib.suppress(OSError):  # a read-only folder: the structure is checked again next time
                pin.parent.mkdir(parents=True, exist_ok=True)
                pin.write_text(f"{digest(path)}\n", encoding="ascii")
        return fault
    value = digest(path)
    return None if value == first else f"SHA-256 {value} instead of {first}, that of the first download ({pin})"


def digest(path: Path) -> str:
    """Return the SHA-256 of the file; stored in ``NAME.sha256`` and reused while size and time stay the same."""
    status = path.stat()
    stamp = f"{status.st_size} {status.st_mtime_ns}"
    note = note_of(path)
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


def note_of(path: Path) -> Path:
    """Return the path of the file beside ``path`` that stores its hash."""
    return path.with_name(path.name + ".sha256")


def _read_pin(pin: Path) -> str | None:
    try:
        value = pin.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return value if len(value) == 64 else None


def _structure_fault(path: Path, file: WeightsFile, card: ModelCard) -> str | None:
    """Check archive, keys, shapes and the bytes of all tensors."""
    from depth3d.depth import checkpoint

    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                damaged = archive.testzip()
            if damaged is not None:
                return f"its entry {damaged} is damaged"
        state = checkpoint.read(path)
    except zipfile.BadZipFile as error:
        return f"its archive is damaged ({error})"
    except WeightsError as error:
        return str(error).removeprefix(f"{path}: ")
    for key, shape in card.marks.items():
        if key not in state:
            return f"it lacks the tensor {key} of {card.name}"
        if tuple(state[key].shape) != shape:
            return f"its tensor {key} is {tuple(state[key].shape)} instead of {shape}"
    if file.layout is not None:
        values = sum(math.prod(one.shape) * one.element_size() for one in state.values())
        if abs(values - file.layout[1]) > 0.02 * file.layout[1]:
            return f"its tensors have {values} bytes instead of {file.layout[1]}"
    return None
