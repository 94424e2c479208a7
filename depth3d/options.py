"""Every default of depth3d, once.

Frozen dataclasses that the Python functions, the command line and worker processes share. The
command line builds its flags from these fields: ``metadata["help"]`` is the help text,
``metadata["metavar"]`` and ``metadata["choices"]`` what a user may type. Units are in the help.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any, Literal, TypeVar, cast

from depth3d.errors import InvalidInput

__all__ = [
    "AnimateOptions",
    "DepthMapOptions",
    "DepthOptions",
    "Eyes",
    "MeshOptions",
    "OutputOptions",
    "Quality",
    "StabilizeOptions",
    "StereoOptions",
    "VideoOptions",
    "ViewOptions",
    "changed",
    "frame_rate",
    "nothing_left",
]

Eyes = Literal["both", "left", "right"]
Quality = Literal["draft", "normal", "high"]


Options = TypeVar("Options")


def frame_rate(value: Fraction | float | str) -> Fraction:
    """``30``, ``"59.94"`` or ``"30000/1001"`` as an exact fraction; 23.976 means 24000/1001.

    Raises ``InvalidInput`` unless 0 < rate <= 1000.
    """
    try:
        rate = Fraction(value)
    except (ValueError, ZeroDivisionError, TypeError):
        raise InvalidInput(f"frame rate {value!r}: expected a number like 30, 59.94 or 30000/1001") from None
    broadcast = Fraction(round(rate * 1001 / 1000) * 1000, 1001)
    if rate.denominator not in (1, 1001) and abs(rate - broadcast) < Fraction(1, 100):
        rate = broadcast
    if not 0 < rate <= 1000:
        raise InvalidInput(f"frame rate {value}: expected more than 0 and at most 1000")
    return rate.limit_denominator(100_000)


def changed(options: Options, changes: dict[str, Any]) -> Options:
    """Take the fields of ``options`` out of ``changes`` and return it with these replaced."""
    names = {item.name for item in fields(cast(Any, options))}
    mine = {name: changes.pop(name) for name in list(changes) if name in names}
    return cast(Options, replace(cast(Any, options), **mine))


def nothing_left(changes: dict[str, Any], *options: object) -> None:
    """Refuse what no ``options`` dataclass has taken out of ``changes``, with the nearest name.

    Raises ``InvalidInput``.
    """
    if changes:
        name = next(iter(changes))
        known = [item.name for kind in options for item in fields(cast(Any, kind))]
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"
        raise InvalidInput(f"unknown option {name!r}{hint}")


def option(default: object, help: str, **metadata: Any) -> Any:
    """A dataclass field with its help text and what the command line needs to know about it."""
    return field(default=cast(Any, default), metadata={"help": help, **metadata})


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """Where a result goes and how a run speaks; the same for every command."""

    force: bool = option(False, "Replace existing files.")
    quiet: bool = option(False, "No progress, only errors.")
    json: bool = option(False, "One machine-readable line on standard output.")


@dataclass(frozen=True, slots=True)
class DepthOptions:
    """Where depth comes from."""

    depth: str | None = option(None, "Use this depth file instead of a network.", metavar="FILE")
    invert_depth: bool = option(False, "The depth file has near = dark.")
    model: str = option("auto", "Depth network (see `depth3d models`), or a checkpoint file.", metavar="NAME")
    device: str = option("auto", "Where the network runs: auto, cpu, cuda, mps.", metavar="DEVICE")
    engine: str = option("torch", "What runs it: torch, openvino.", choices=("torch", "openvino"))
    precision: str = option(
        "auto",
        "Of the network: float32; bfloat16; auto tries where it is native.",
        choices=("auto", "float32", "bfloat16"),
    )
    threads: int | None = option(None, "Threads for the network (default: the process's cores).", metavar="N")
    matcher: str = option(
        "sgm", "How the two eyes of stereo input are matched: sgm, dis, or a network as pwcnet:FILE.", metavar="NAME"
    )


@dataclass(frozen=True, slots=True)
class AnimateOptions:
    """A moving camera over a photo. ``amount`` is the largest travel between nearest and farthest."""

    path: str = option("circle", "circle, swing, orbit, dolly, zoom, push, auto, or a JSON file.", metavar="PATH")
    amount: float = option(2.0, "Travel between nearest and farthest, percent of the width.", metavar="PERCENT")
    seconds: float = option(6.0, "Length of the loop.", metavar="S")
    fps: Fraction = option(Fraction(30), "Frames per second, as 30, 59.94 or 30000/1001.", metavar="N")
    size: str = option(
        "auto", "WIDTHxHEIGHT, 1080p, or auto (the photo's shape, long side 1920; GIF 480).", metavar="SIZE"
    )
    focus: str = option("auto", "Depth that stays still: 0 (far) to 1 (near), or auto.", metavar="0..1|auto")
    quality: Quality = option("normal", "Anti-aliasing and fill.", choices=("draft", "normal", "high"))
    bokeh: float = option(
        0.0,
        "Depth of field: a point as far from the focus as far is from near blurs over this percent of the width "
        "(photos; each frame takes the time of 7 to 64 views, of up to 256 with --quality high).",
        metavar="PERCENT",
    )
    shutter: float = option(
        0.0,
        "Motion blur: how long the shutter is open, 180 = half a frame's time (photos; a view's time for every pixel "
        "of blur).",
        metavar="DEGREES",
    )
    vignette: float = option(0.0, "Light that the corners lose (photos; costs little).", metavar="PERCENT")
    tremble: float = option(
        0.0, "A hand that trembles: travel between nearest and farthest, percent of the width.", metavar="PERCENT"
    )


@dataclass(frozen=True, slots=True)
class StereoOptions:
    """Two eyes from one picture. For a point of depth v in a picture W wide, the right eye sees it
    W * parallax/100 * (v - convergence) further left than the left eye does."""

    format: str = option("sbs", "sbs, anaglyph, tb, mpo ... (several with commas).", metavar="NAME[,NAME]")
    parallax: float = option(2.0, "How far nearest and farthest part, percent of the width.", metavar="PERCENT")
    convergence: float | Literal["auto"] = option(
        0.5, "Depth that lies on the screen: 0 (far) to 1 (near), or auto.", metavar="0..1|auto"
    )
    eyes: Eyes = option("both", "Which eye is new; the other is the input itself.", choices=("both", "left", "right"))
    quality: Quality = option("normal", "Anti-aliasing and fill.", choices=("draft", "normal", "high"))
    screen: str | None = option(None, "Diagonal of the viewer's screen, as 55in or 140cm.", metavar="LENGTH")
    distance: str | None = option(None, "How far away the viewer sits, as 2.5m.", metavar="LENGTH")
    arc_minutes: float | None = option(
        None, "Parallax as the angle the viewer sees, instead of --parallax (needs --screen, --distance).", metavar="N"
    )
    floating_window: bool = option(False, "Photos: black edges where near things would be cut by the frame.")
    own_eyes: bool = option(True, "Stereo pictures: show their own two eyes; else new ones from their depth.")
    field_of_view: float | None = option(
        None, "Photos: degrees across the longer side, for VR (default: EXIF, else 53).", metavar="DEGREES"
    )
    views: int | None = option(None, "Lenticular prints: number of views (default: dpi over lpi).", metavar="N")
    lpi: float = option(60.0, "Lenticular prints: lenses per inch, as measured with the pitch test.", metavar="N")
    dpi: float = option(600.0, "Lenticular prints: dots per inch of the printer.", metavar="N")
    print_width: str = option("6in", "Lenticular prints: width on paper.", metavar="LENGTH")


@dataclass(frozen=True, slots=True)
class StabilizeOptions:
    """How depth is kept from flickering in a clip."""

    look_ahead: int = option(12, "Frames from the future that steady a frame's depth (0: none).", metavar="FRAMES")
    flow: str = option("dis", "Optical flow that steadies it: dis, or a network as pwcnet:FILE.", metavar="NAME")
    memory: float = option(10.0, "Frames over which depth is averaged where nothing changes.", metavar="FRAMES")
    temporal_filter: str = option(
        "recursive", "recursive, or none: for depth that is consistent in time already.", metavar="NAME"
    )


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """How a clip is read, drawn and written."""

    codec: str = option(
        "auto",
        "libx264, libx265, libsvtav1, libvpx-vp9, ffv1, hardware, or auto (libx264; HDR: libx265).",
        metavar="NAME",
    )
    crf: int | None = option(None, "Constant quality of the encoder (default: 18 for libx264).", metavar="N")
    preset: str | None = option(None, "Speed preset of the encoder.", metavar="NAME")
    start: str | None = option(None, "Begin here: seconds or H:MM:SS.", metavar="TIME")
    end: str | None = option(None, "Stop here: seconds or H:MM:SS.", metavar="TIME")
    fps: str | None = option(None, "Another frame rate (default: every frame keeps its own time).", metavar="N")
    size: str | None = option(None, "Another size of one eye: WIDTHxHEIGHT, 1080p.", metavar="SIZE")
    tonemap: bool = option(False, "Turn HDR into an ordinary clip (default: HDR stays HDR).")
    save_depth: str | None = option(None, "Also keep the depth as a lossless 16-bit clip.", metavar="FILE.mkv")
    shots: str | None = option(
        None, "Settings per shot: written if FILE is not there (then edit it), else obeyed.", metavar="FILE.toml"
    )
    preview: bool = option(False, "Only draw a handful of frames into one picture.")
    dry_run: bool = option(False, "Only tell the plan, the size and the time it will take.")


@dataclass(frozen=True, slots=True)
class DepthMapOptions:
    """A depth map as a file of its own."""

    heatmap: str | None = option(
        None,
        "Colours instead of grey; bright or red = near.",
        choices=("gray", "inferno", "magma", "plasma", "viridis", "turbo", "jet", "cividis", "spectral"),
    )
    facebook: bool = option(False, "The pair NAME.jpg + NAME_depth.jpg for a Facebook 3D photo.")
    embed: Literal["gdepth", "dynamic"] | None = option(
        None, "Write the photo as JPEG with its depth inside it, as Google's cameras do.", choices=("gdepth", "dynamic")
    )


@dataclass(frozen=True, slots=True)
class MeshOptions:
    """A mesh file. With ``near`` and ``far`` it is true to scale, in metres; else the nearest point is at 1, the
    farthest at 10. Depth maps hold *inverse* distance, so half-way grey is much nearer than half-way."""

    near: float | None = option(None, "True distance of the nearest point, metres (needs --far).", metavar="METRES")
    far: float | None = option(None, "True distance of the farthest point, metres (needs --near).", metavar="METRES")
    points: bool = option(False, "A point cloud instead of a mesh (PLY, GLB).")
    detail: int | None = option(
        None, "Longest side of the grid, in cells (default: what fits 4 MB; PLY: 1024).", metavar="N"
    )
    texture: int | None = option(
        None, "Longest side of the texture, pixels (default: the photo itself, its JPEG untouched).", metavar="N"
    )


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """The 3D page. ``near`` and ``far`` give a headset the true scale."""

    amount: float = option(2.0, "Travel between nearest and farthest, percent of the width.", metavar="PERCENT")
    focus: float | Literal["auto"] = option(
        "auto", "Depth that stays still: 0 (far) to 1 (near), or auto.", metavar="0..1|auto"
    )
    title: str | None = option(None, "Title of the page (default: the photo's file name).", metavar="TEXT")
    detail: int = option(1024, "Longest side of the depth picture in the page, pixels.", metavar="N")
    near: float | None = option(None, "True distance of the nearest point, metres (needs --far).", metavar="METRES")
    far: float | None = option(None, "True distance of the farthest point, metres (needs --near).", metavar="METRES")
    serve: bool = option(False, "Then serve it on this machine only (for headsets: adb reverse).")
    port: int = option(8123, "Port for --serve; 0 takes a free one.", metavar="N")
