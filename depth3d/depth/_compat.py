"""Make ``import timm`` work with any build of torchvision.

On PyPI, torchvision for Linux is a CUDA build. With a CPU build of torch its native library does not load, and
``import torchvision`` (and therefore ``import timm``) fails with "operator torchvision::nms does not exist". A failed
import cannot be repeated in the same process: timm must only be imported through `import_timm`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["import_timm"]

# torchvision's Python code registers details for these two operators when it is imported, so that they must exist.
_NMS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_kept: list[Any] = []  # a torch.library.Library removes its operators when it is garbage-collected


def import_timm() -> ModuleType:
    """Import timm; first define torchvision's native operators if its library cannot be loaded."""
    if "torchvision" not in sys.modules:
        _stand_in_for_missing_operators()
    import timm

    module: ModuleType = timm
    return module


def _stand_in_for_missing_operators() -> None:
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return
    torch: Any = importlib.import_module("torch")  # torch.ops and torch.library are untyped

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
