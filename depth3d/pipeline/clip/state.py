"""Keeping Python objects over a crash: pickles that can only hold what this program put there.

A plain pickle may run anything when it is read, and a work folder may come from anywhere (an archive, a
shared disk). Only arrays, plain values and the stabiliser's own classes are let in.
"""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any

from depth3d.pipeline.clip.workspace import whole

__all__ = ["load_state", "save_state"]

log = logging.getLogger("depth3d.video")

_OURS = ("depth3d.depth.temporal.stabilizer", "depth3d.io.video.spool", "depth3d.pipeline.clip.depth_pass")
_OTHERS = {
    ("collections", "deque"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("builtins", "set"),
    ("builtins", "complex"),
}


class _Careful(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.startswith(_OURS) or (module, name) in _OTHERS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} does not belong into a work folder")


def save_state(path: Path, state: Any) -> None:
    """Write ``state`` whole: after a crash there is the old one or the new one."""
    with whole(path) as temporary:
        temporary.write_bytes(pickle.dumps(state, protocol=5))


def load_state(path: Path) -> Any:
    """What was saved, or None if there is nothing that can be used (an older version's, a damaged one)."""
    try:
        with path.open("rb") as file:
            return _Careful(file).load()
    except FileNotFoundError:
        return None
    except Exception as error:  # a damaged pickle may raise anything
        log.warning("%s cannot be used (%s): that part is done again", path.name, error)
        return None
