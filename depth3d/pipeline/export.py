"""Exports a photo as a mesh, a point cloud, Gaussian splats or a solid for 3D printers."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from depth3d.camera import Camera
from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidOption
from depth3d.geometry.mesh.drawn_colors import fit_colors
from depth3d.geometry.mesh.layers import build_layers
from depth3d.geometry.mesh.pictures import MAX_STEP, LayerPictures, layer_pictures
from depth3d.geometry.mesh.solid import place, triangulate
from depth3d.geometry.mesh.splats import splats_of_layers
from depth3d.image import Image
from depth3d.io.atomic import refuse_existing
from depth3d.io.image.read import encode_image, open_image
from depth3d.io.mesh import SUFFIXES, MeshCamera, colored_points, obj_files, write_mesh, write_points
from depth3d.io.printing import PRINT_SUFFIXES
from depth3d.io.splats import SPLAT_SUFFIXES, write_splats
from depth3d.io.usd import write_usdz
from depth3d.io.viewer import LARGEST
from depth3d.layeredmesh import Mesh
from depth3d.options import DepthOptions, MeshOptions
from depth3d.pipeline.inputs import check_depth_source
from depth3d.pipeline.notebook import WrittenPath
from depth3d.pipeline.printing import check_print_options, is_print, print_lithophane, print_relief, wants_print
from depth3d.pipeline.scene import Scene, load_scene, without_frame
from depth3d.pipeline.targets import check_suffix, target_for
from depth3d.quantities import as_path
from depth3d.splats import SplatCloud
from depth3d.validation import changed, nothing_left, require

__all__ = ["mesh", "mesh_scene", "mesh_target", "refuse_mesh_files"]

# Parallax that the background is made for, percent of the width: viewers of a mesh may move the camera far.
MESH_PARALLAX = 8.0
# Depth error allowed where cells of the mesh merge.
FLAT = 0.004
WORK_SIDE = 1024
GLB_BYTES = 4_000_000
_LEAST_GEOMETRY = 500_000
# Splats: parallax that the layers are built for, share kept beyond the border, number of Gaussians.
SPLAT_PARALLAX, SPLAT_BORDER, SPLAT_COUNT = 6.0, 0.04, 600_000
# Scene units are 1 to 10; without metric distances the scene is scaled to fit on a table in Quick Look.
USDZ_SCALE = 0.15
_LAYERS = ("background", "photo")  # names of the meshes, back to front
_GRIDS = (1024, 896, 768, 640, 512, 448, 384, 320, 256, 192)


def mesh(
    photo: str | Path,
    output: str | Path | None = None,
    options: MeshOptions | None = None,
    depth: DepthOptions | None = None,
    *,
    force: bool = False,
    **changes: Any,
) -> Path:
    """Convert a photo to a textured mesh, a point cloud or Gaussian splats; return the path written (Jupyter shows it).

    Raises ``ExistsError`` before any work is done, and any other ``Depth3DError``.

    Parameters
    ----------
    photo : str | Path
        Any picture, also a stereo picture or one with depth inside or beside it.
    output : str | Path | None
        ``.glb``, ``.obj``, ``.ply``, ``.usdz``; for Gaussian splats ``.splat``, ``.spz`` or, with ``splats``, ``.ply``;
        for 3D printers ``.stl``, ``.3mf``; default ``NAME.glb`` beside the photo.
    options, depth : MeshOptions | None, DepthOptions | None
        All settings; single ones may be given by name instead (``near=1.2, far=30``).
    force : bool
        Replace existing files.
    **changes : Any
        Single settings by the names of the options, in place of the whole objects.
    """
    options = changed(require(options, MeshOptions, "mesh"), changes)
    depth = changed(require(depth, DepthOptions, "depth"), changes)
    nothing_left(changes, options, depth)
    photo = as_path(photo, "photo")
    target = mesh_target(photo, output, options, depth)
    refuse_mesh_files(target, force=force)
    if options.lithophane:
        return WrittenPath(print_lithophane(open_image(photo), target, options, force=force))
    return WrittenPath(mesh_scene(load_scene(photo, depth), target, options, source=photo, force=force))


def refuse_mesh_files(target: Path, *, force: bool) -> None:
    """Raise ``ExistsError`` if a mesh, or a file that is written beside it, exists and ``force`` is false."""
    beside = obj_files(target, _LAYERS) if target.suffix.lower() == ".obj" else []
    for file in (target, *beside):
        refuse_existing(file, force=force)


def mesh_target(photo: Path, output: str | Path | None, options: MeshOptions, depth: DepthOptions) -> Path:
    """Return the file that ``mesh`` writes, after all checks that need no picture. Raises ``InvalidOption``."""
    check_depth_source(depth, "photo")
    suffix = ".ply" if options.splats is not None else ".stl" if wants_print(options) else ".glb"
    return check_mesh_target(target_for(photo, output, f"{photo.stem}{suffix}"), options)


def check_mesh_target(target: Path, options: MeshOptions) -> Path:
    """Return ``target``; raise ``InvalidOption`` unless its suffix can hold what the options ask for."""
    if wants_print(options) and (options.splats is not None or options.points):
        raise InvalidOption("points" if options.points else "splats", "cannot be written as a 3D print")
    if options.splats is not None:
        if options.points:
            raise InvalidOption("points", "cannot be written together with `splats`")
        return check_suffix(target, SPLAT_SUFFIXES, "Gaussian splats")
    if options.points:
        return check_suffix(target, (".glb", ".ply"), "point clouds")
    check_suffix(target, tuple(dict.fromkeys((*SUFFIXES, ".usdz", *SPLAT_SUFFIXES, *PRINT_SUFFIXES))), "meshes")
    check_print_options(target, options)
    return target


def mesh_scene(
    scene: Scene, target: Path, options: MeshOptions, *, source: Path | None = None, force: bool = False
) -> Path:
    """Write the mesh of a photo that is loaded already; see ``mesh``. ``source``: its file, for the JPEG bytes."""
    near_far = options.distances or scene.distances
    check_mesh_target(target, options)
    if options.lithophane:
        return print_lithophane(scene.image, target, options, force=force)
    if is_print(target):
        return print_relief(scene.depth, target, options, force=force)
    image, depth, jpeg = without_frame(scene)
    if options.splats is not None or target.suffix.lower() in (".splat", ".spz"):
        return write_splats(_splats(image, depth, options, near_far), target, force=force)
    camera, aspect = Camera.of_photo(image), image.size.aspect
    seen_by = MeshCamera(camera.angles(aspect)[1], aspect)
    pictures = layer_pictures(image, depth, options.detail or WORK_SIDE, MESH_PARALLAX)
    if options.points or target.suffix.lower() == ".ply":
        meshes = _meshes(pictures, max(pictures.colors.size), image, camera, near_far, flat=-1.0)
        if not options.points:
            return write_mesh(meshes, target, seen_by, force=force)
        places = np.concatenate([each.vertices for each in meshes])
        return write_points(places, np.concatenate([colored_points(each) for each in meshes]), target, force=force)
    texture = image if options.texture is None else image.resized(image.size.fit(options.texture))
    if jpeg is None or options.texture is not None:
        jpeg = encode_image(texture.resized(texture.size.fit(LARGEST)), ".jpg", quality=90)
    hidden = encode_image(pictures.colors, ".jpg", quality=80)
    room = max(GLB_BYTES - len(jpeg) - len(hidden), _LEAST_GEOMETRY)
    for side in [options.detail] if options.detail else _GRIDS:
        meshes = _meshes(pictures, side, texture, camera, near_far, flat=FLAT)
        if sum(_bytes(each) for each in meshes) <= room:
            break
    jpegs = [jpeg if each.name == "photo" else hidden for each in meshes]
    if target.suffix.lower() == ".usdz":
        scale = np.float32(1 if near_far else USDZ_SCALE)
        scaled = [replace(each, vertices=each.vertices * scale) for each in meshes]
        return write_usdz(scaled, target, jpegs=jpegs, force=force)
    return write_mesh(meshes, target, seen_by, jpegs=jpegs, force=force)


def _splats(image: Image, depth: DepthMap, options: MeshOptions, near_far: tuple[float, float] | None) -> SplatCloud:
    """Convert the layers of a photo to Gaussians, including a narrow strip beyond its border."""
    count = options.splats or SPLAT_COUNT
    # More than four Gaussians per pixel, or layers with more pixels than Gaussians, do not improve the result.
    size = image.size.fit(max(64, math.ceil(max(image.size) * math.sqrt(min(1.0, count / image.size.pixels)))))
    photo = image.resized(size)
    layers = build_layers(
        photo, depth.resized(size), parallax_percent=SPLAT_PARALLAX, quality="high", border_percent=5.0
    )
    step = 1.5 / (SPLAT_PARALLAX / 100 * size.width)
    cloud = splats_of_layers(layers, count, step=step, border=SPLAT_BORDER, near_far=near_far)
    return fit_colors(cloud, photo, layers.camera)


def _meshes(
    pictures: LayerPictures,
    side: int,
    texture: Image,
    camera: Camera,
    near_far: tuple[float, float] | None,
    flat: float,
) -> list[Mesh]:
    """Build the solid meshes, back to front, on a grid with at most ``side`` cells on its longer side."""
    found = []
    behind = pictures.background, pictures.colors
    for name, (depth, colors) in zip(_LAYERS, (behind, (pictures.front, texture)), strict=True):
        size = pictures.colors.size.fit(side)
        # Nearest-neighbor sampling: averaging over an outline would give depths that belong to neither side.
        small = cv2.resize(depth, tuple(size), interpolation=cv2.INTER_NEAREST_EXACT).astype(np.float32)
        # The background is one connected surface, so that the mesh has no holes.
        relief = triangulate(small, np.inf if name == "background" else MAX_STEP, flat)
        if len(relief.faces):
            found.append(place(relief, colors, camera, texture.size, name, near_far))
    return found


def _bytes(each: Mesh) -> int:
    """Size in bytes of a mesh in a GLB: position and uv as floats, three 16 or 32 bit indices per triangle."""
    return len(each.vertices) * 20 + len(each.faces) * (6 if len(each.vertices) <= 65535 else 12) + 1000
