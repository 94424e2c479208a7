"""Save and load the state of an interrupted pass as JSON and arrays, without pickle.

A state is a tree of dicts, lists, plain values and numpy arrays, as the ``to_state`` methods of the temporal classes
return it. It is stored as one uncompressed NPZ file: entry ``tree`` is the JSON text, in which ``{"array": "3"}``
refers to entry ``3``. It is read with ``allow_pickle=False``, so that the file cannot execute code.
"""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from depth3d.pipeline.clip.workspace import whole

__all__ = ["load_state", "save_state"]

log = logging.getLogger("depth3d.video")

T = TypeVar("T")
_TREE = "tree"
_LARGEST_ARRAYS = 10_000


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` atomically: after a crash the file contains the old or the new state.

    Raises ``WriteError`` if it cannot be written, ``TypeError`` for values that are neither plain nor arrays.
    """
    arrays: dict[str, NDArray[Any]] = {}
    tree = json.dumps(_pack(state, arrays))
    with whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **{_TREE: np.frombuffer(tree.encode(), np.uint8)}, **arrays)


def load_state(path: Path, build: Callable[[dict[str, Any]], T]) -> T | None:
    """Read a state and return ``build(state)``; None if the file is missing, damaged or incompatible.

    An unusable file is logged as a warning; the caller then restarts the pass.
    """
    try:
        with path.open("rb") as file:
            return build(_read(file))
    except FileNotFoundError:
        return None
    except Exception as error:  # zip, NPY, JSON and the builders each raise their own kinds for damaged content
        log.warning("%s cannot be used (%s): this pass starts over", path.name, error)
        return None


def _read(file: Any) -> dict[str, Any]:
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        # Uncompressed entries cannot expand beyond the size of the file.
        if len(entries) > _LARGEST_ARRAYS or any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("not a state file of depth3d")
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    tree = json.loads(arrays.pop(_TREE).tobytes().decode())
    state = _unpack(tree, arrays)
    if not isinstance(state, dict):
        raise ValueError("not a state file of depth3d")
    return state


def _pack(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = value
        return {"array": name}
    if isinstance(value, dict):
        return {str(key): _pack(one, arrays) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_pack(one, arrays) for one in value]
    return value


def _unpack(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"array"}:
            return arrays[value["array"]]
        return {key: _unpack(one, arrays) for key, one in value.items()}
    if isinstance(value, list):
        return [_unpack(one, arrays) for one in value]
    return value
