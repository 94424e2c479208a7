"""Turns a photo into a web page that shows it in 3D."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from depth3d.camera import FARTHEST_INVERSE, Camera
from depth3d.depthmap import DepthMap
from depth3d.geometry.camera.focus import salient_depth
from depth3d.geometry.mesh.pictures import MAX_STEP, layer_pictures
from depth3d.io.atomic import refuse_existing
from depth3d.io.image.jpeg import without_metadata
from depth3d.io.viewer import LARGEST, Page, RgbdImage, write_page
from depth3d.options import DepthOptions, ViewOptions
from depth3d.pipeline.inputs import check_depth_source
from depth3d.pipeline.notebook import WrittenPath
from depth3d.pipeline.scene import Scene, load_scene, without_frame
from depth3d.pipeline.targets import check_suffix, target_for
from depth3d.quantities import as_path, printable
from depth3d.validation import changed, nothing_left, require

__all__ = ["MAX_AMOUNT", "view", "view_page", "view_scene", "view_target"]

# Maximum of the page's slider and of the option: travel between nearest and farthest point, percent of the width.
MAX_AMOUNT = 6.0
# Pages hold depth in 8 bits, and in the background 0 means "nothing here": the photo stays before 1, the farthest left.
FARTHEST = 2 / 255


def view_target(photo: Path, output: str | Path | None, options: ViewOptions, depth: DepthOptions) -> Path:
    """Return the file that ``view`` writes, after all checks that need no picture. Raises ``InvalidOption``."""
    check_depth_source(depth, "photo")
    return check_suffix(target_for(photo, output, f"{photo.stem}.html"), (".html", ".htm"), "web pages")


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
    near_far = options.distances or scene.distances
    image, depth, jpeg = without_frame(scene)
    pictures = layer_pictures(image, depth, options.detail, MAX_AMOUNT)
    if jpeg is not None:
        # Pages are shared, so the metadata of the photo (place and time) are removed.
        jpeg = without_metadata(jpeg) if max(image.size) <= LARGEST else None
    present = ~np.isnan(pictures.background)
    background = (
        RgbdImage(pictures.colors, DepthMap(np.nan_to_num(pictures.background)), present) if present.any() else None
    )
    near, far = near_far or (1.0, 1 / FARTHEST_INVERSE)
    front = DepthMap(np.maximum(pictures.front, np.float32(FARTHEST)))
    return Page(
        RgbdImage(image, front, jpeg=jpeg),
        background,
        field_of_view=Camera.of_photo(scene.image).angles(image.size.aspect)[1],
        near=near,
        far=far,
        max_step=MAX_STEP,
        amount=options.amount,
        max_amount=MAX_AMOUNT,
        focus=round(salient_depth(DepthMap(pictures.front)), 2) if options.focus == "auto" else options.focus,
        metric=near_far is not None,
        title=options.title or (printable(source.stem) if source else "3D photo"),
    )
