"""Options of what is made from one picture and its depth: animations, meshes, pages."""

from dataclasses import dataclass
from fractions import Fraction

from depth3d.errors import InvalidOption
from depth3d.options.shared import FocusOptions, QualityOptions, ScaleOptions, file_name, percent
from depth3d.quantities import as_file, as_size
from depth3d.validation import option, renamed

__all__ = ["AnimateOptions", "MeshOptions", "ViewOptions"]


@renamed(tremble="shake")
@dataclass(frozen=True)
class AnimateOptions(QualityOptions, FocusOptions):
    """A moving camera over a photo or clip. ``amount``: largest travel between nearest and farthest point."""

    path: str = option(
        "circle", "circle, swing, orbit, dolly, zoom, push, auto, or a JSON file of keyframes.", convert=as_file
    )
    seconds: float = option(6.0, "Length of the loop, seconds.", limits=(0.02, 3600))
    fps: Fraction = option(Fraction(30), "Frames per second, as 30, 59.94 or 30000/1001.", media="photo")
    size: str = option(
        "auto", "WIDTHxHEIGHT, 1080p, or auto (the photo's shape, long side 1920; GIF 480).", convert=as_size
    )
    bokeh: float = percent(
        0.0,
        "Depth of field: blur of the farthest point when the nearest is in focus, percent of the width (slow).",
        20,
    )
    shutter: float = option(
        0.0,
        "Motion blur of the camera: shutter angle, 180 = open for half of each frame (slow).",
        limits=(0, 360),
        unit="degrees",
    )
    vignette: float = option(0.0, "Darkening of the corners, percent.", limits=(0, 95), unit="percent")
    shake: float = percent(0.0, "Camera shake: travel between nearest and farthest point, percent of the width.", 20)


@dataclass(frozen=True)
class MeshOptions(ScaleOptions):
    """A mesh file. With ``near`` and ``far`` it is true to scale, in meters; else the nearest point is at 1, the
    farthest at 10. Depth maps hold inverse distance: half-way gray is much nearer than half-way."""

    points: bool = option(False, "Write a point cloud instead of a mesh (PLY, GLB).")
    splats: int | None = option(
        None,
        "Write Gaussian splats instead of a mesh, at most N (.ply, .splat, .spz; default 600000).",
        limits=(1000, 5_000_000),
    )
    detail: int | None = option(
        None, "Longest side of the grid, cells (default: what fits 4 MB; PLY: 1024).", limits=(16, 4096)
    )
    texture: int | None = option(
        None, "Longest side of the texture, pixels (default: the photo's own JPEG, unchanged).", limits=(16, 16384)
    )
    relief_mm: float | None = option(
        None,
        "3D prints (.stl, .3mf): height of the relief, millimeters (default 4; of a lithophane 2.2).",
        metavar="MM",
        limits=(0.1, 200),
    )
    base_mm: float | None = option(
        None,
        "3D prints: thickness of the plate below the relief, millimeters (default 1.5; of a lithophane 0.8).",
        metavar="MM",
        limits=(0.1, 100),
    )
    size_mm: float | None = option(
        None, "3D prints: longest side of the plate, millimeters (default 100).", metavar="MM", limits=(5, 2000)
    )
    lithophane: bool = option(
        False, "3D prints: a lithophane, thick where the photo is dark, to be lit from behind; needs no depth."
    )


@dataclass(frozen=True)
class ViewOptions(ScaleOptions, FocusOptions):
    """The 3D web page. ``near`` and ``far`` give a headset the true scale."""

    amount: float = percent(
        FocusOptions.amount, "Largest travel between nearest and farthest point, percent of the width.", 6
    )
    title: str | None = option(None, "Title of the page (default: the photo's file name).")
    detail: int = option(1024, "Longest side of the depth picture in the page, pixels.", limits=(16, 8192))
    serve: bool = option(False, "Then serve the page on this machine only (for headsets: adb reverse).")
    port: int = option(8123, "Port for `serve`; 0 takes a free one.", limits=(0, 65535))
    host: str | None = option(
        None,
        "Address for `serve` in the home network, such as 192.168.1.20 or 0.0.0.0 (all); the link holds a secret.",
        metavar="ADDRESS",
    )
    certificate: str | None = file_name(
        "PEM file with certificate and key, for https: headsets enter 3D from other machines only then."
    )

    def __post_init__(self) -> None:
        ScaleOptions.__post_init__(self)
        for name in ("host", "certificate"):
            if getattr(self, name) is not None and not self.serve:
                raise InvalidOption(name, "needs `serve`")
