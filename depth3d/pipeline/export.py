"""Exports a photo as a mesh file or as a web page that shows it in 3D."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.camera import FARTHEST_INVERSE, Camera
from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput, InvalidOption
from depth3d.geometry.camera.focus import salient_depth
from depth3d.geometry.mesh.flatten import flatten_layer
from depth3d.geometry.mesh.layers import build_layers
from depth3d.geometry.mesh.solid import place, tear_apart
from depth3d.geometry.mesh.splats import splats_of_layers
from depth3d.image import Image, Size
from depth3d.io.atomic import refuse_existing
from depth3d.io.image.jpeg import own_jpeg, without_metadata
from depth3d.io.image.read import encode_image, flatten
from depth3d.io.mesh import SUFFIXES, MeshCamera, colored_points, write_mesh, write_points
from depth3d.io.splats import SPLAT_SUFFIXES, write_splats
from depth3d.io.usd import write_usdz
from depth3d.io.viewer import LARGEST, Page, RgbdImage, write_page
from depth3d.layeredmesh import Mesh
from depth3d.options import DepthOptions, MeshOptions, ViewOptions
from depth3d.pipeline.inputs import check_depth_source, check_suffix, target_for
from depth3d.pipeline.notebook import WrittenPath
from depth3d.pipeline.scene import Scene, load_scene
from depth3d.quantities import as_path
from depth3d.splats import SplatCloud
from depth3d.validation import changed, nothing_left, require

__all__ = ["mesh", "mesh_scene", "mesh_target", "view", "view_page", "view_scene", "view_target"]

# Percent of the width. MOST is the maximum of the page's slider; viewers of a mesh may move the camera further.
MOST, MESH_PARALLAX = 6.0, 8.0
# Neighbors whose depths differ by more are not connected: less than two pixels on a screen 1280 wide at 4 percent.
TEAR, FLAT = 0.03, 0.004
WORK_SIDE = 1024
GLB_BYTES = 4_000_000
_LEAST_GEOMETRY = 500_000
# Splats: parallax that the layers are built for, share kept beyond the border, number of Gaussians.
SPLAT_PARALLAX, SPLAT_BORDER, SPLAT_COUNT = 6.0, 0.04, 600_000
# Scene units are 1 to 10; without metric distances the scene is scaled to fit on a table in Quick Look.
USDZ_SCALE = 0.15
_GRIDS = (1024, 896, 768, 640, 512, 448, 384, 320, 256, 192)


@dataclass(frozen=True, slots=True, eq=False)
class _Sheets:
    """The visible layer and the disoccluded background, as pictures of one size."""

    front: NDArray[np.float32]
    hidden: NDArray[np.float32]  # NaN where there is no background layer
    colors: Image


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
        default ``NAME.glb`` beside the photo.
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
    refuse_existing(target, force=force)
    return WrittenPath(mesh_scene(load_scene(photo, depth), target, options, source=photo, force=force))


def mesh_target(photo: Path, output: str | Path | None, options: MeshOptions, depth: DepthOptions) -> Path:
    """Return the file that ``mesh`` writes, after all checks that need no picture. Raises ``InvalidOption``."""
    check_depth_source(depth, "photo")
    name = f"{photo.stem}.ply" if options.splats is not None else f"{photo.stem}.glb"
    return check_mesh_target(target_for(photo, output, name), options)


def check_mesh_target(target: Path, options: MeshOptions) -> Path:
    """Return ``target``; raise ``InvalidOption`` unless its suffix can hold what the options ask for."""
    if options.splats is not None:
        if options.points:
            raise InvalidOption("points", "cannot be written together with `splats`")
        return check_suffix(target, SPLAT_SUFFIXES, "Gaussian splats")
    if options.points:
        return check_suffix(target, (".glb", ".ply"), "point clouds")
    return check_suffix(target, tuple(dict.fromkeys((*SUFFIXES, ".usdz", *SPLAT_SUFFIXES))), "meshes")


def view_target(photo: Path, output: str | Path | None, options: ViewOptions, depth: DepthOptions) -> Path:
    """Return the file that ``view`` writes, after all checks that need no picture. Raises ``InvalidOption``."""
    check_depth_source(depth, "photo")
    return check_suffix(target_for(photo, output, f"{photo.stem}.html"), (".html", ".htm"), "web pages")


def mesh_scene(
    scene: Scene, target: Path, options: MeshOptions, *, source: Path | None = None, force: bool = False
) -> Path:
    """Write the mesh of a photo that is loaded already; see ``mesh``. ``source``: its file, for the JPEG bytes."""
    near_far = _distances(options.near, options.far) or scene.distances
    camera = Camera.of_photo(scene.image)
    check_mesh_target(target, options)
    image = flatten(scene.image.eight_bit())
    if options.splats is not None or target.suffix.lower() in (".splat", ".spz"):
        return write_splats(_splats(image, scene.depth, options, near_far), target, force=force)
    most = options.detail or WORK_SIDE
    sheets = _sheets(image, scene.depth, most, MESH_PARALLAX)
    if options.points or target.suffix.lower() == ".ply":
        meshes = _meshes(sheets, max(_size(sheets.front)), image, camera, near_far, flat=-1.0)
        if not options.points:
            return write_mesh(meshes, target, _mesh_camera(camera, image.size), force=force)
        places = np.concatenate([each.vertices for each in meshes])
        return write_points(places, np.concatenate([colored_points(each) for each in meshes]), target, force=force)
    texture = image if options.texture is None else image.resized(image.size.fit(options.texture))
    jpeg = None if scene.file is None or options.texture is not None else own_jpeg(scene.file.data, scene.image)
    jpeg = jpeg or encode_image(texture.resized(texture.size.fit(LARGEST)), ".jpg", quality=90)
    hidden = encode_image(sheets.colors, ".jpg", quality=80)
    room = max(GLB_BYTES - len(jpeg) - len(hidden), _LEAST_GEOMETRY)
    for side in [options.detail] if options.detail else _GRIDS:
        meshes = _meshes(sheets, side, texture, camera, near_far, flat=FLAT)
        if sum(_bytes(each) for each in meshes) <= room:
            break
    jpegs = [jpeg if each.name == "photo" else hidden for each in meshes]
    if target.suffix.lower() == ".usdz":
        scale = np.float32(1 if near_far else USDZ_SCALE)
        scaled = [replace(each, vertices=each.vertices * scale) for each in meshes]
        return write_usdz(scaled, target, jpegs=jpegs, force=force)
    return write_mesh(meshes, target, _mesh_camera(camera, image.size), jpegs=jpegs, force=force)


def view(
    photo: str | Path,
    output: str | Path | None = None,
    options: ViewOptions | None = None,
    depth: DepthOptions | None = None,
    *,
    force: bool = False,
    **changes: Any,
) -> Path:
    """Turn a photo into a web page that shows it in 3D, whole in one HTML file; return its path (Jupyter shows it).

    Raises ``ExistsError`` before any work is done, and any other ``Depth3DError``.

    Parameters
    ----------
    photo : str | Path
        Any picture, also a stereo picture or one with depth inside or beside it.
    output : str | Path | None
        Default ``NAME.html`` beside the photo.
    options, depth : ViewOptions | None, DepthOptions | None
        All settings; single ones may be given by name instead (``amount=3``).
    force : bool
        Replace an existing file.
    **changes : Any
        Single settings by the names of the options, in place of the whole objects.
    """
    options = changed(require(options, ViewOptions, "view"), changes)
    depth = changed(require(depth, DepthOptions, "depth"), changes)
    nothing_left(changes, options, depth)
    photo = as_path(photo, "photo")
    target = view_target(photo, output, options, depth)
    refuse_existing(target, force=force)
    return WrittenPath(view_scene(load_scene(photo, depth), target, options, source=photo, force=force))


def view_scene(
    scene: Scene, target: Path, options: ViewOptions, *, source: Path | None = None, force: bool = False
) -> Path:
    """Write the page of a photo that is loaded already; see ``view``. ``source``: its file, for name and bytes."""
    return write_page(view_page(scene, options, source=source), target, force=force)


def view_page(scene: Scene, options: ViewOptions, *, source: Path | None = None) -> Page:
    """Return the content of the page of a photo that is loaded already; see ``view_scene``."""
    near_far = _distances(options.near, options.far) or scene.distances
    if not 0 <= options.amount <= MOST:
        raise InvalidInput(f"amount {options.amount:g}: expected 0 to {MOST:g} percent of the width")
    image = flatten(scene.image.eight_bit())
    sheets = _sheets(image, scene.depth, options.detail, MOST)
    jpeg = None if scene.file is None else own_jpeg(scene.file.data, scene.image)
    if jpeg is not None:
        # Pages are shared, so the metadata of the photo (place and time) are removed.
        jpeg = without_metadata(jpeg) if max(image.size) <= LARGEST else None
    present = ~np.isnan(sheets.hidden)
    background = RgbdImage(sheets.colors, DepthMap(np.nan_to_num(sheets.hidden)), present) if present.any() else None
    near, far = near_far or (1.0, 1 / FARTHEST_INVERSE)
    return Page(
        RgbdImage(image, DepthMap(sheets.front), jpeg=jpeg),
        background,
        field_of_view=_mesh_camera(Camera.of_photo(scene.image), image.size).field_of_view,
        near=near,
        far=far,
        tear=TEAR,
        amount=options.amount,
        most=MOST,
        focus=_focus(options.focus, DepthMap(sheets.front)),
        metric=near_far is not None,
        title=options.title or (source.stem if source else "3D photo"),
    )


def _splats(image: Image, depth: DepthMap, options: MeshOptions, near_far: tuple[float, float] | None) -> SplatCloud:
    """Convert the layers of a photo to Gaussians, including a narrow strip beyond its border."""
    count = options.splats or SPLAT_COUNT
    # More than four Gaussians per pixel, or layers with more pixels than Gaussians, do not improve the result.
    size = image.size.fit(max(64, math.ceil(max(image.size) * math.sqrt(min(1.0, count / image.size.pixels)))))
    layers = build_layers(
        image.resized(size), depth.resized(size), parallax_percent=SPLAT_PARALLAX, quality="high", border_percent=5.0
    )
    step = 1.5 / (SPLAT_PARALLAX / 100 * size.width)
    return splats_of_layers(layers, count, step=step, border=SPLAT_BORDER, near_far=near_far)


def _sheets(image: Image, depth: DepthMap, side: int, parallax: float) -> _Sheets:
    """Return both layers as pictures, longest side at most ``side`` pixels."""
    size = image.size.fit(side)
    small, values = image.resized(size), depth.resized(size)
    layers = build_layers(small, values, parallax_percent=parallax, quality="high").layers
    front = flatten_layer(layers[-1], size).depth
    front = np.where(np.isnan(front), depth.resized(size).values, front)
    hidden = np.full_like(front, np.nan)
    colors = np.zeros((size.height, size.width, 3), np.uint8)
    for layer in layers[:-1]:
        flat = flatten_layer(layer, size)
        drawn = ~np.isnan(flat.depth)
        hidden[drawn], colors[drawn] = flat.depth[drawn], flat.picture.pixels[drawn]
    # Keep the background where it is behind the front, dilated a little so that no gap shows between the two; but not
    # where its depth rises to that of the front.
    behind = hidden < front - 1 / 255
    around = np.ones((5, 5), np.uint8)
    floor = cv2.erode(np.where(behind, hidden, np.float32(1)), around)
    kept = behind | ((cv2.dilate(behind.astype(np.uint8), around) > 0) & (hidden <= floor + TEAR))
    colors = _padded(colors, kept)
    # Slightly farther than the front where they meet, to avoid z-fighting.
    away = np.clip(np.minimum(hidden, front - 1 / 255), 0, 1)
    return _Sheets(np.clip(front, 0, 1), np.where(kept, away, np.nan).astype(np.float32), Image(colors))


def _padded(colors: NDArray[np.uint8], kept: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Fill what is not kept with the nearest kept color, as a JPEG mixes the colors of its blocks; far off the mean."""
    if not kept.any():
        return np.zeros_like(colors)
    away, nearest = cv2.distanceTransformWithLabels(
        (~kept).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    color_of = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    color_of[nearest[kept]] = colors[kept]
    near = (away <= 24)[..., None]
    return np.asarray(np.where(near, color_of[nearest], colors[kept].mean(0)), np.uint8)


def _meshes(
    sheets: _Sheets, side: int, texture: Image, camera: Camera, near_far: tuple[float, float] | None, flat: float
) -> list[Mesh]:
    """Build the solid meshes, back to front, on a grid with at most ``side`` cells on its longer side."""
    found = []
    for name, depth, colors in (("background", sheets.hidden, sheets.colors), ("photo", sheets.front, texture)):
        size = _size(depth).fit(side)
        # Nearest-neighbor sampling: averaging over an outline would give depths that belong to neither side.
        small = cv2.resize(depth, tuple(size), interpolation=cv2.INTER_NEAREST_EXACT).astype(np.float32)
        # The background is one connected surface, so that the mesh has no holes.
        relief = tear_apart(small, np.inf if name == "background" else TEAR, flat)
        if len(relief.faces):
            found.append(place(relief, colors, camera, texture.size, name, near_far))
    return found


def _bytes(each: Mesh) -> int:
    """Size in bytes of a mesh in a GLB: position and uv as floats, three 16 or 32 bit indices per triangle."""
    return len(each.vertices) * 20 + len(each.faces) * (6 if len(each.vertices) <= 65535 else 12) + 1000


def _mesh_camera(camera: Camera, size: Size) -> MeshCamera:
    vertical = 2 * math.degrees(math.atan(0.5 / (camera.focal(size.aspect) * size.aspect)))
    return MeshCamera(vertical, size.aspect)


def _focus(wanted: float | str, depth: DepthMap) -> float:
    """Return the depth in [0, 1] that does not move; "auto": that of the subject."""
    if wanted == "auto":
        return round(salient_depth(depth), 2)
    value = float(wanted)
    if not 0 <= value <= 1:
        raise InvalidInput(f"focus {value:g}: expected 0 (far) to 1 (near), or auto")
    return value


def _distances(near: float | None, far: float | None) -> tuple[float, float] | None:
    if near is None and far is None:
        return None
    if near is None or far is None or not (0 < near < far and math.isfinite(far)):
        raise InvalidInput(f"near {near}, far {far}: expected both, in meters, 0 < near < far")
    return near, far


def _size(values: NDArray[np.float32]) -> Size:
    return Size(values.shape[1], values.shape[0])
