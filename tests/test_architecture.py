"""Imports point down, stages never import each other, heavy packages stay in their rooms."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import depth3d

PACKAGE = Path(depth3d.__file__).parent
STAGES = ("io", "depth", "geometry", "render")
NOUNS = ("image", "depthmap", "layeredmesh", "camera", "anaglyphs", "stereoformats", "stereopair", "frames")
ABOVE = {"errors": 0, **dict.fromkeys(NOUNS, 1), "options": 2, **dict.fromkeys(STAGES, 3)}
ABOVE |= {"pipeline": 4, "contrib": 5, "cli": 6, "__main__": 7}
# Package -> where alone it may be imported (path prefixes inside depth3d/). `info` asks every one for its version.
ROOMS = {
    "torch": ("depth/", "cli/info.py", "render/context.py"),
    "timm": ("depth/", "cli/info.py", "render/context.py"),
    "moderngl": ("render/",),
    "trimesh": ("io/mesh.py",),
    "av": ("io/",),
    "imageio_ffmpeg": ("io/",),
    "PIL": ("io/",),
    "click": ("cli/",),
    "tqdm": ("cli/", "depth/fetch.py"),
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def imports(path: Path, *, top_level_only: bool = False) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    names: list[str] = []
    for node in nodes:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    for name in imports(path):
        if not name.startswith("depth3d."):
            continue
        there = name.split(".")[1]
        if there in ("__version__", here):
            continue
        assert there in ABOVE, f"{path.name} imports {name}: {there} is in no room"
        assert ABOVE[there] <= ABOVE[here], f"{path.name} imports {name}: that points up"
        if here in STAGES:
            assert there not in STAGES, f"{path.name} imports {name}: stages meet only in the nouns"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_packages_stay_in_their_rooms(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    for name in imports(path):
        package = name.split(".")[0]
        if package in ROOMS:
            assert place.startswith(ROOMS[package]), f"{place} imports {package}, which belongs to {ROOMS[package]}"


def test_no_root_module_shadows_a_public_name() -> None:
    modules = {path.stem for path in PACKAGE.glob("*.py")}
    assert modules.isdisjoint(set(depth3d.__all__))


def test_files_stay_short() -> None:
    long = {str(p.relative_to(PACKAGE)): n for p in MODULES if (n := len(p.read_text().splitlines())) > 325}
    assert not long, f"split these: {long}"
