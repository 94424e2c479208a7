"""Textured 3D models with true sizes, from the furniture libraries of Sweet Home 3D (Debian: sweethome3d-furniture).

    apt-get download sweethome3d-furniture && dpkg-deb -x sweethome3d-furniture_*.deb FOLDER
    python examples/train_tiny/scenes/catalog.py FOLDER/usr/share/sweethome3d/furniture WORK/models
Licenses: CC0 (BlendSwap-CC-0), CC BY 3.0 (BlendSwap-CC-BY, Scopia), CC BY 3.0 US (KatorLegaz, Reallusion).
Each model becomes an .npz file: `load_catalog` reads them.
"""

import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import trimesh
from meshes import Mesh, Part
from numpy.typing import NDArray

LARGEST = 30_000
"""Triangles of the largest model that is kept."""
TEXTURE = 256
"""Longest side of a texture, pixels."""
LEFT_OUT = re.compile(
    r"window|door|curtain|pool|carpet|rug|mat\b|elevator|fence|stair|railing|column|sidewalk|jacuzzi|fountain|shutter"
    r"|blind|aquarium|shower|net\b|screen$|ceiling|chandelier|pendant|hanging|wall|hood|tatami|contemporary living",
    re.IGNORECASE,
)
"""Names of models that hang, are flat or are mostly of glass."""


class Model(NamedTuple):
    """A model of the catalog: width, height and depth in meters, and its kind of place, as "Kitchen"."""

    name: str
    category: str
    size: NDArray[np.float32]
    mesh: Mesh


def properties(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    """The catalog of a library: a dictionary per model."""
    text = archive.read("PluginFurnitureCatalog.properties").decode("latin-1")
    entries: dict[int, dict[str, str]] = {}
    for line in text.replace("\\\n", "").splitlines():
        found = re.match(r"(\w+)#(\d+)\s*=\s*(.*)", line)
        if found:
            entries.setdefault(int(found[2]), {})[found[1]] = found[3].strip()
    return [entries[number] for number in sorted(entries)]


def read_part(geometry: Any) -> Part | None:
    """One material of a model; None where it is glass or nothing."""
    material = getattr(geometry.visual, "material", None)
    settings = getattr(material, "kwargs", {})
    opaque = settings.get("d", [1.0])
    if float(np.ravel(opaque)[0]) < 0.5 or not len(geometry.faces):
        return None
    color = np.asarray(getattr(material, "diffuse", (160, 160, 160, 255)), np.float32)[:3] / 255.0
    image, uv = getattr(material, "image", None), getattr(geometry.visual, "uv", None)
    texture = None
    if image is not None and uv is not None and len(uv) == len(geometry.vertices):
        texture = np.asarray(image.convert("RGBA"))
        scale = TEXTURE / max(texture.shape[:2])
        if scale < 1:
            texture = cv2.resize(texture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        color = np.ones(3, np.float32)
    else:
        uv = np.zeros((len(geometry.vertices), 2), np.float32)
    uv = np.asarray(uv) * (1.0, -1.0) + (0.0, 1.0)  # rows of a picture run downwards
    corners = geometry.faces.ravel()
    vertices = np.hstack([geometry.vertices, geometry.vertex_normals, uv])[corners].astype(np.float32)
    return Part(np.nan_to_num(vertices), color, texture)


def read_model(archive: zipfile.ZipFile, entry: dict[str, str]) -> Model | None:
    """A model in meters: X right, Y up, its front to +Z, the middle of its base at the origin."""
    path = entry["model"].lstrip("/")
    if not path.endswith(".obj") or archive.getinfo(path).file_size > 4_000_000:
        return None
    folder = path.rsplit("/", 1)[0] + "/"
    files = {name.removeprefix(folder): archive.open(name) for name in archive.namelist() if name.startswith(folder)}
    resolver = trimesh.resolvers.ZipResolver(files)
    scene = trimesh.load(archive.open(path), "obj", resolver=resolver, process=False, force="scene")
    pieces = [geometry for geometry in scene.geometry.values() if isinstance(geometry, trimesh.Trimesh)]
    parts = [read_part(piece) for piece in pieces]
    kept = [part for part in parts if part is not None]
    count = sum(len(part.vertices) for part in kept) // 3
    if not kept or count > LARGEST or sum(len(piece.faces) for piece in pieces) > 1.6 * count:
        return None
    turn = np.eye(3)
    if "modelRotation" in entry:
        turn = np.array(entry["modelRotation"].split(), float).reshape(3, 3)
    corners = np.vstack([part.vertices[:, :3] for part in kept]) @ turn.T
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = np.array([float(entry[key]) / 100.0 for key in ("width", "height", "depth")], np.float32)
    scale = size / np.maximum(high - low, 1e-6)
    base = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    for part in kept:
        part.vertices[:, :3] = (part.vertices[:, :3] @ turn.T - base) * scale
        normals = (part.vertices[:, 3:6] @ turn.T) / scale
        part.vertices[:, 3:6] = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return Model(entry["name"], entry.get("category", ""), size, kept)


def save_model(model: Model, path: Path) -> None:
    """Write a model as .npz."""
    arrays: dict[str, Any] = {"size": model.size, "about": json.dumps([model.name, model.category])}
    for number, part in enumerate(model.mesh):
        arrays |= {f"{number} vertices": part.vertices, f"{number} color": part.color}
        if part.texture is not None:
            arrays[f"{number} texture"] = part.texture
    np.savez(path, **arrays)


def load_catalog(folder: Path) -> list[Model]:
    """Read all models that `save_model` wrote to a folder."""
    models = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as arrays:
            held = {name: arrays[name] for name in arrays.files}
        name, category = json.loads(str(held["about"]))
        numbers = sorted(int(key.split()[0]) for key in held if key.endswith("vertices"))
        mesh = [Part(held[f"{n} vertices"], held[f"{n} color"], held.get(f"{n} texture")) for n in numbers]
        models.append(Model(name, category, held["size"], mesh))
    return models


def main() -> None:
    """Convert all libraries of a folder."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    for library in sorted(source.glob("*.sh3f")):
        archive, kept = zipfile.ZipFile(library), 0
        for number, entry in enumerate(properties(archive)):
            if "model" not in entry or entry.get("doorOrWindow") == "true" or LEFT_OUT.search(entry.get("name", "")):
                continue
            try:
                model = read_model(archive, entry)
            except (ValueError, KeyError, IndexError, OSError) as error:
                print(library.stem, entry["name"], error)
                continue
            if model is not None:
                save_model(model, target / f"{library.stem}_{number:03d}.npz")
                kept += 1
        print(library.stem, kept, "models", flush=True)


if __name__ == "__main__":
    main()
