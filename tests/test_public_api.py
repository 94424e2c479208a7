"""The public list, the contract's names and the light import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import depth3d


@pytest.mark.parametrize("name", [name for name in depth3d.__all__ if name != "__version__"])
def test_every_public_name_exists_and_is_documented(name: str) -> None:
    value = getattr(depth3d, name)
    assert value.__doc__, f"{name} has no docstring"


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        depth3d.nonsense  # noqa: B018


def test_verbs_stay_verbs_after_their_modules_are_imported() -> None:
    code = (
        "import depth3d, depth3d.layeredmesh, depth3d.stereopair, depth3d.pipeline.stereo;"
        "assert callable(depth3d.mesh) and callable(depth3d.stereo)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_import_is_light() -> None:
    code = "import sys, depth3d; print(*[m for m in ('torch','timm','moderngl','cv2','av','PIL') if m in sys.modules])"
    seen = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert seen.strip() == ""


def test_type_checkers_see_the_same_list() -> None:
    tree = ast.parse(Path(depth3d.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == depth3d._PUBLIC
