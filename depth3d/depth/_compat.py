"""Make ``import timm`` work with any build of torchvision.

PyPI's torchvision for Linux is a CUDA build. Beside a CPU torch its native library does not load, and
``import torchvision`` - hence ``import timm`` - ends in "operator torchvision::nms does not exist". A failed
import cannot be repeated, so timm must be imported through `import_timm` only.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["import_timm"]

# The two operators that torchvision's Python side describes while it is being imported.
_NMS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_kept: list[Any] = []  # a torch.library.Library takes its operators along when it is collected


def import_timm() -> ModuleType:
    """Import timm, after standing in for torchvision's native operators where they cannot load."""
    if "torchvision" not in sys.modules:
        _stand_in_for_missing_operators()
    import timm

    module: ModuleType = timm
    return module


def _stand_in_for_missing_operators() -> None:
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return
    torch: Any = importlib.import_module("torch")  # these corners of it have no types

    libraries = sorted(Path(spec.origin).parent.glob("_C*"))
    try:
        for library in libraries:
            torch.ops.load_library(str(library))
        if libraries:
            return
    except OSError:
        pass
    operators = torch.library.Library("torchvision", "DEF")
    operators.define(f"nms{_NMS}")
    operators.define(f"qnms{_NMS}")
    _kept.append(operators)
