"""The rules of the tree: imports point down, no cycles, no flat families, heavy packages stay in their rooms.

The tree is drawn in README.md ("Map of the code").
"""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

import depth3d

PACKAGE = Path(depth3d.__file__).parent
STAGES = ("io", "depth", "geometry", "render")
NOUNS = (
    "image",
    "depthmap",
    "layeredmesh",
    "splats",
    "camera",
    "anaglyphs",
    "stereoformats",
    "stereopair",
    "frames",
    "hints",
    "splats",
)
ABOVE = {"errors": 0, "forkguard": 1, "quantities": 1, "validation": 2, "options": 3}
ABOVE |= {
    **dict.fromkeys(NOUNS, 4),
    **dict.fromkeys(STAGES, 5),
    "pipeline": 6,
    "contrib": 7,
    "studio": 8,
    "cli": 9,
    "__main__": 10,
}
# Package -> where alone it may be imported (path prefixes inside depth3d/). `info` asks every one for its version.
ROOMS = {
    "torch": ("depth/", "cli/info.py", "render/context.py"),
    "timm": ("depth/", "cli/info.py", "render/context.py"),
    "moderngl": ("render/",),
    "pxr": ("io/usd.py",),
    "trimesh": ("io/mesh.py", "io/printing.py"),
    "av": ("io/",),
    "imageio_ffmpeg": ("io/",),
    "PIL": ("io/",),
    "click": ("cli/",),
    "distributed": ("contrib/",),
    "starlette": ("studio/",),
    "uvicorn": ("studio/",),
    "tqdm": ("cli/", "depth/fetch.py"),
}
MODULES = sorted(PACKAGE.rglob("*.py"))
# Import cycles that exist today, each with the reason why it is still here. The test fails on a new cycle, and on an
# entry whose cycle is gone: then delete the entry.
ALLOWED_CYCLES: dict[frozenset[str], str] = {}
# Words of fewer letters are not taken for a family: too many words begin with them by chance.
SHORTEST_PREFIX = 4
SMALLEST_FAMILY = 3


def room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def module_name(path: Path) -> str:
    """The dotted name inside depth3d: "io.image.read" for io/image/read.py, "io.image" for io/image/__init__.py."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def import_graph() -> dict[str, set[str]]:
    """Module -> the modules of the package that it imports, anywhere in the file; the package itself is left out."""
    known = {module_name(path) for path in MODULES}
    graph: dict[str, set[str]] = {name: set() for name in known if name}
    for path in MODULES:
        here = module_name(path)
        for name in imports(path) if here else ():
            target = name.removeprefix("depth3d.") if name.startswith("depth3d.") else ""
            while target and target not in known:
                target = target.rpartition(".")[0]
            if target and target != here:
                graph[here].add(target)
    return graph


def cycles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """Return the groups of two or more modules in which each one reaches every other."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        seen: set[str] = set()
        queue = [start]
        while queue:
            new = graph[queue.pop()] - seen
            seen |= new
            queue += new
        reached[start] = seen
    groups = (frozenset(b for b in reached[a] if a in reached[b]) for a in graph if a in reached[a])
    return {group for group in groups if len(group) > 1}


def families(stems: list[str], words: set[str]) -> dict[str, list[str]]:
    """Return the words with which three or more of the sibling files begin, and these files.

    A word is what stands before an underscore (`clip_job`), or any file or folder name of the package with which
    another name begins (`clipjob`, where there is a `clip`).
    """
    tokens = {stem.split("_")[0] for stem in stems} | words
    found = {}
    for word in sorted(word for word in tokens if len(word) >= SHORTEST_PREFIX):
        members = [stem for stem in stems if stem.startswith(word)]
        if len(members) >= SMALLEST_FAMILY:
            found[word] = members
    return found


def siblings() -> dict[Path, list[str]]:
    folders: dict[Path, list[str]] = defaultdict(list)
    for path in MODULES:
        if not path.stem.startswith("__"):
            folders[path.parent].append(path.stem.lstrip("_"))
    return folders


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


def test_the_search_for_cycles_finds_them() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"e"}, "e": {"f"}, "f": {"d", "a"}, "g": set()}
    assert cycles(graph) == {frozenset("bc"), frozenset("def")}


def test_no_import_cycles() -> None:
    found = cycles(import_graph())
    new = found - set(ALLOWED_CYCLES)
    assert not new, f"import cycles: {[sorted(group) for group in new]}"
    gone = set(ALLOWED_CYCLES) - found
    assert not gone, f"these cycles are gone; delete them from ALLOWED_CYCLES: {[sorted(group) for group in gone]}"


def test_the_search_for_families_finds_them() -> None:
    assert families(["video_read", "video_write", "video_mux", "mesh"], set()) == {
        "video": ["video_read", "video_write", "video_mux"]
    }
    assert families(["clipjob", "clipplan", "clipview"], {"clip"}) == {"clip": ["clipjob", "clipplan", "clipview"]}
    assert families(["compose", "compare", "compat"], {"clip"}) == {}
    assert families(["depthmap", "depth_files"], {"depth"}) == {}


def test_no_flat_families() -> None:
    words = {word for path in MODULES for word in (*path.stem.split("_"), path.parent.name)}
    flat = {
        str(folder.relative_to(PACKAGE)): found
        for folder, stems in siblings().items()
        if (found := families(stems, words))
    }
    assert not flat, f"three or more sibling files with the same first word belong into a folder: {flat}"


def test_the_readme_maps_every_folder() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    tree = readme.partition("```\ndepth3d/\n")[2].partition("```")[0]
    assert tree, "README.md has no tree of the package"
    mapped: set[str] = set()
    above: list[str] = []
    for line in tree.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        above = [*above[: depth - 1], line.split()[0].rstrip("/")]
        mapped.add("/".join(above))
    folders = {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("__init__.py")} - {"."}
    assert mapped == folders, f"README.md, 'Map of the code', differs in {sorted(mapped ^ folders)}"
