"""Writes meshes (GLB, OBJ with MTL, PLY) and point clouds (PLY, GLB) to files with trimesh.

This module corrects four things in trimesh's output: it re-encodes textures (here the photo's own JPEG bytes are
stored), writes lit materials (a photo already contains its lighting), writes sRGB values as the linear vertex colors of
glTF, and gives every OBJ the same texture names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput, WriteError
from depth3d.image import linear_to_srgb, srgb_to_linear
from depth3d.io.atomic import atomic_path, refuse_existing
from depth3d.io.image.read import encode_image
from depth3d.layeredmesh import Mesh
from depth3d.quantities import printable

__all__ = ["SUFFIXES", "MeshCamera", "colored_points", "obj_files", "write_mesh", "write_points"]

SUFFIXES = (".glb", ".obj", ".ply")
_QUALITY = 90
# glTF's numbers for component types and texture settings.
_UINT16, _UINT32 = 5123, 5125
_LINEAR, _LINEAR_MIPMAP_LINEAR, _CLAMP = 9729, 9987, 33071


@dataclass(frozen=True, slots=True)
class MeshCamera:
    """The camera that took the photo, at the origin, looking along -Z.

    Parameters
    ----------
    field_of_view : float
        Vertical, degrees.
    aspect : float
        Width over height.
    """

    field_of_view: float
    aspect: float


def write_mesh(
    meshes: Sequence[Mesh],
    path: str | Path,
    camera: MeshCamera,
    *,
    jpegs: Sequence[bytes | None] = (),
    force: bool = False,
) -> Path:
    """Write meshes in the format of the suffix; return the path.

    Raises ``InvalidInput`` if there is nothing to write, ``ExistsError`` or ``WriteError``.

    Parameters
    ----------
    meshes : Sequence[Mesh]
        Back to front; each becomes a mesh of its own with its own texture. PLY holds one mesh only, so there they are
        joined, with the texture's colors at the vertices.
    camera : MeshCamera
        Becomes a camera node in GLB; the other formats have no camera.
    jpegs : Sequence[bytes | None]
        Per mesh the JPEG bytes to store instead of encoding the texture; None = encode.
    """
    path = Path(path)
    kept = [
        (mesh, jpeg) for mesh, jpeg in zip(meshes, [*jpegs, *[None] * len(meshes)], strict=False) if len(mesh.faces)
    ]
    if not kept:
        raise InvalidInput(f"{path}: the mesh has no faces, nothing to write")
    suffix = _suffix(path)
    if suffix == ".obj":
        return _write_obj(kept, path, force=force)
    data = _glb(kept, camera) if suffix == ".glb" else _ply([mesh for mesh, _ in kept])
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(data)
    return path


def write_points(
    points: NDArray[np.float32], colors: NDArray[np.uint8], path: str | Path, *, force: bool = False
) -> Path:
    """Write a point cloud as PLY (sRGB bytes, as PLY readers expect) or GLB (linear 16 bit, as glTF wants).

    Raises ``WriteError`` for another suffix, ``InvalidInput`` for an empty cloud.

    Parameters
    ----------
    points : NDArray[np.float32]
        (N, 3) world space.
    colors : NDArray[np.uint8]
        (N, 3) uint8, sRGB.
    """
    path = Path(path)
    if len(points) == 0 or len(points) != len(colors):
        raise InvalidInput(
            f"{path}: {len(points)} points and {len(colors)} colors, expected equal numbers, at least one"
        )
    suffix = _suffix(path)
    if suffix == ".obj":
        raise WriteError(path, "OBJ cannot store colored points; use .ply or .glb")
    trimesh = _library()
    cloud = trimesh.PointCloud(points.astype(np.float64), colors=np.column_stack([colors, np.full(len(colors), 255)]))
    if suffix == ".ply":
        data: bytes = trimesh.exchange.ply.export_ply(cloud, vertex_normal=False)
    else:
        data = trimesh.exchange.gltf.export_glb(
            trimesh.Scene({"points": cloud}),
            buffer_postprocessor=_linear_colors,
            tree_postprocessor=lambda tree: _finish(tree, None),
        )
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(data)
    return path


def colored_points(mesh: Mesh) -> NDArray[np.uint8]:
    """(N, 3) uint8 sRGB: the texture's color at each vertex, bilinear in linear light."""
    import cv2

    texture = mesh.texture.eight_bit()
    size = np.array(texture.size, np.float32)
    at = mesh.uv * size - np.float32(0.5)  # pixel centers are at half-integers
    # remap takes maps of at most 32767 columns and rows: the list of points is folded into a picture.
    rows = math.ceil(len(at) / 16384)
    folded = np.zeros((rows * 16384, 2), np.float32)
    folded[: len(at)] = at
    across, down = (np.ascontiguousarray(folded[:, axis].reshape(rows, 16384)) for axis in (0, 1))
    light = (srgb_to_linear(texture.floats()) * 65535).astype(np.uint16)
    colors = cv2.remap(light, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    coded = linear_to_srgb(colors.reshape(-1, 3)[: len(at)].astype(np.float32) / np.float32(65535))
    return np.rint(coded * 255).astype(np.uint8)


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise WriteError(path, f"unknown mesh format {suffix or '(no suffix)'!r}; use {', '.join(SUFFIXES)}")
    return suffix


def _library() -> Any:
    """The trimesh package, without its half-typed signatures."""
    import trimesh

    return trimesh


def _trimesh(mesh: Mesh, index: int) -> Any:
    from PIL import Image as Pillow

    trimesh = _library()
    # A placeholder: trimesh would encode the texture again, so `_glb` replaces it by the real bytes.
    # Each has a different color, because trimesh stores equal textures and materials once.
    material = trimesh.visual.material.PBRMaterial(
        name=mesh.name,
        baseColorTexture=Pillow.new("RGB", (1, 1), (index, 0, 0)),
        doubleSided=True,
        metallicFactor=0.0,
        roughnessFactor=1.0,
    )
    uv = np.column_stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]])  # trimesh's uv (0, 0) is the lower left
    return trimesh.Trimesh(
        mesh.vertices, mesh.faces, visual=trimesh.visual.TextureVisuals(uv=uv, material=material), process=False
    )


def _glb(kept: Sequence[tuple[Mesh, bytes | None]], camera: MeshCamera) -> bytes:
    trimesh = _library()
    textures = [jpeg or encode_image(mesh.texture, ".jpg", quality=_QUALITY) for mesh, jpeg in kept]

    def compact(buffers: Any, tree: dict[str, Any]) -> None:
        keys = list(buffers)
        for image, texture in zip(tree["images"], textures, strict=True):
            image["mimeType"] = "image/jpeg"
            buffers[keys[image["bufferView"]]] = texture + bytes(-len(texture) % 4)
        _short_indices(buffers, keys, tree)

    def finish(tree: dict[str, Any]) -> None:
        # The view must end where the JPEG does, not after the padding, or its bytes would not be the photo's.
        for image, texture in zip(tree["images"], textures, strict=True):
            tree["bufferViews"][image["bufferView"]]["byteLength"] = len(texture)
        _finish(tree, camera)

    scene = trimesh.Scene()
    for index, (mesh, _) in enumerate(kept):
        scene.add_geometry(_trimesh(mesh, index), geom_name=mesh.name, node_name=mesh.name)
    data: bytes = trimesh.exchange.gltf.export_glb(
        scene, include_normals=False, buffer_postprocessor=compact, tree_postprocessor=finish
    )
    return data


def _short_indices(buffers: Any, keys: list[Any], tree: dict[str, Any]) -> None:
    """Store vertex indices in 16 bits where they fit, which saves a third of the geometry's bytes."""
    accessors = list(tree["accessors"].values())
    for mesh in tree["meshes"]:
        for primitive in mesh["primitives"]:
            indices = accessors[primitive["indices"]]
            count = accessors[primitive["attributes"]["POSITION"]]["count"]
            # 65535 itself is not allowed: it restarts strips.
            if indices["componentType"] == _UINT32 and count <= 65535:
                key = keys[indices["bufferView"]]
                short = np.frombuffer(buffers[key], "<u4")[: indices["count"]].astype("<u2").tobytes()
                buffers[key] = short + bytes(-len(short) % 4)
                indices["componentType"] = _UINT16


def _linear_colors(buffers: Any, tree: dict[str, Any]) -> None:
    """Convert the vertex colors to linear light, as glTF requires, in 16 bits: 8 bits would cause banding."""
    keys = list(buffers)
    accessors = list(tree["accessors"].values())
    for mesh in tree["meshes"]:
        for primitive in mesh["primitives"]:
            accessor = accessors[primitive["attributes"]["COLOR_0"]]
            parts = int(accessor["type"][-1])
            key = keys[accessor["bufferView"]]
            coded = np.frombuffer(buffers[key], np.uint8)[: accessor["count"] * parts].reshape(-1, parts)
            linear = np.full((len(coded), 4), 65535, "<u2")  # four parts: elements must begin at multiples of 4 bytes
            linear[:, :3] = np.rint(srgb_to_linear(coded[:, :3].astype(np.float32) / np.float32(255)) * 65535)
            buffers[key] = linear.tobytes()
            accessor.update(componentType=_UINT16, type="VEC4", normalized=True)
            for bound in ("min", "max"):
                accessor.pop(bound, None)


def _finish(tree: dict[str, Any], camera: MeshCamera | None) -> None:
    """Add what trimesh does not write: unlit materials, texture settings, the camera, buffer view targets."""
    tree["asset"]["generator"] = "depth3d"
    for material in tree.get("materials", []):
        material.setdefault("extensions", {})["KHR_materials_unlit"] = {}
    if tree.get("materials"):
        tree["extensionsUsed"] = sorted({*tree.get("extensionsUsed", []), "KHR_materials_unlit"})
    if tree.get("textures"):
        tree["samplers"] = [
            {"magFilter": _LINEAR, "minFilter": _LINEAR_MIPMAP_LINEAR, "wrapS": _CLAMP, "wrapT": _CLAMP}
        ]
        for texture in tree["textures"]:
            texture["sampler"] = 0
    if camera is not None:
        yfov = math.radians(camera.field_of_view)
        lens = {"aspectRatio": camera.aspect, "yfov": yfov, "znear": 0.01}
        tree["cameras"] = [{"name": "photo", "type": "perspective", "perspective": lens}]
        tree["nodes"].append({"name": "camera", "camera": 0})
        tree["scenes"][0].setdefault("nodes", []).append(len(tree["nodes"]) - 1)
    _name_targets(tree)


def _name_targets(tree: dict[str, Any]) -> None:
    vertices, elements = 34962, 34963
    for mesh in tree["meshes"]:
        for primitive in mesh["primitives"]:
            for accessor in primitive["attributes"].values():
                tree["bufferViews"][tree["accessors"][accessor]["bufferView"]]["target"] = vertices
            if "indices" in primitive:
                tree["bufferViews"][tree["accessors"][primitive["indices"]]["bufferView"]]["target"] = elements


def _ply(meshes: Sequence[Mesh]) -> bytes:
    trimesh = _library()
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    joined = trimesh.Trimesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts[:-1], strict=True)]),
        vertex_colors=np.concatenate([colored_points(mesh) for mesh in meshes]),
        process=False,
    )
    data: bytes = trimesh.exchange.ply.export_ply(joined, vertex_normal=False)
    return data


def obj_files(path: Path, names: Sequence[str]) -> list[Path]:
    """Return the files that an OBJ has beside it: the materials, then the texture of each mesh.

    Parameters
    ----------
    path : Path
        The OBJ.
    names : Sequence[str]
        Names of the meshes.
    """
    # Many OBJ readers end a file name at a space. Shorter, so that the longest name fits into 255 bytes.
    stem = re.sub(r"[\s#\ufffd]+", "_", printable(path.stem)).encode()[:200].decode(errors="ignore")
    return [path.with_name(f"{stem}.mtl"), *(path.with_name(f"{stem}_{name}.jpg") for name in names)]


def _write_obj(kept: Sequence[tuple[Mesh, bytes | None]], path: Path, *, force: bool) -> Path:
    """Write NAME.obj, NAME.mtl and one NAME_MESH.jpg per mesh; the OBJ last, so that it never exists alone."""
    export_obj = _library().exchange.obj.export_obj
    library, *pictures = obj_files(path, [mesh.name for mesh, _ in kept])
    names = [picture.name for picture in pictures]
    for each in (path, library, *pictures):
        refuse_existing(each, force=force)
    # trimesh's own OBJ of a scene has textures' names in common with every other; so one mesh after another.
    parts = ["# depth3d\n", f"mtllib {library.name}\n"]
    vertices = 0
    for index, (mesh, _) in enumerate(kept):
        text = export_obj(_trimesh(mesh, index), include_normals=False, include_color=False, header=None, digits=6)
        lines = [line for line in text.splitlines() if line.startswith(("v ", "vt "))]
        faces = mesh.faces.astype(np.int64) + 1 + vertices
        lines += [f"f {a}/{a} {b}/{b} {c}/{c}" for a, b, c in faces.tolist()]
        parts.append(f"o {mesh.name}\nusemtl {mesh.name}\n" + "\n".join(lines) + "\n")
        vertices += len(mesh.vertices)
    # illum 0: color as it is, no light; Kd 1 leaves the texture as it is.
    materials = "".join(
        f"newmtl {mesh.name}\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nillum 0\nmap_Kd {name}\n"
        for (mesh, _), name in zip(kept, names, strict=True)
    )
    for name, (mesh, jpeg) in zip(names, kept, strict=True):
        with atomic_path(path.with_name(name), force=force) as temporary:
            temporary.write_bytes(jpeg or encode_image(mesh.texture, ".jpg", quality=_QUALITY))
    for target, content in ((library, materials), (path, "".join(parts))):
        with atomic_path(target, force=force) as temporary:
            temporary.write_text(content, encoding="utf-8")
    return path
