"""Every option of depth3d with its default, its range and its help text, once.

Frozen dataclasses that the Python functions, the command line and worker processes share. The command line builds
its flags from these fields. A value out of its range or of another type raises ``InvalidOption`` when the object is
made (``depth3d.validation``). Options that several commands share are mixins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal

from depth3d.errors import InvalidOption
from depth3d.quantities import as_file, as_length, as_size, as_time, clock_seconds, frame_rate
from depth3d.validation import Validated, changed, nothing_left, option, renamed

__all__ = [
    "AnimateOptions",
    "BatchOptions",
    "CheckOptions",
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

_HEATMAPS = ("gray", "inferno", "magma", "plasma", "viridis", "turbo", "jet", "cividis", "spectral")


def percent(default: float, help: str, most: float, media: str | None = None) -> Any:
    """Return a field for a number from 0 to ``most``, in percent of the picture's width."""
    more = {} if media is None else {"media": media}
    return option(default, help, metavar="PERCENT", limits=(0, most), unit="percent of the width", **more)


def _file(help: str, metavar: str = "FILE", **more: Any) -> Any:
    """Return a field for the name of a file, None by default."""
    return option(None, help, metavar=metavar, convert=as_file, **more)


@dataclass(frozen=True)
class OutputOptions(Validated):
    """What a run writes and prints; the same for every command."""

    force: bool = option(False, "Replace existing files.")
    quiet: bool = option(False, "Print errors only: no progress, no log.")
    json: bool = option(False, "Print one machine-readable line per result on standard output.")


@dataclass(frozen=True)
class BatchOptions(Validated):
    """How many inputs are run."""

    recursive: bool = option(False, "Also take the files in subfolders of a folder.")
    skip_existing: bool = option(False, "Skip inputs whose result exists already.")


@dataclass(frozen=True)
class FocusOptions(Validated):
    """Strength and fixed depth of a moving camera."""

    amount: float = percent(2.0, "Largest travel between nearest and farthest point, percent of the width.", 50)
    focus: float | Literal["auto"] = option(
        "auto",
        "Depth that stays still: 0 (far) to 1 (near), or auto.",
        metavar="0..1|auto",
        limits=(0, 1),
        numeric_text=True,
    )


@dataclass(frozen=True)
class QualityOptions(Validated):
    """Render quality."""

    quality: Quality = option("normal", "Anti-aliasing and filling of gaps: draft, normal or high.")


@dataclass(frozen=True)
class ScaleOptions(Validated):
    """True distances. Raises ``InvalidOption`` unless both are given or none, with near < far."""

    near: float | None = option(None, "Distance of the nearest point, meters (needs --far).", above=0, limits=(0, 1e6))
    far: float | None = option(None, "Distance of the farthest point, meters (needs --near).", above=0, limits=(0, 1e6))

    def __post_init__(self) -> None:
        Validated.__post_init__(self)
        near, far = self.near, self.far
        if (near is None) != (far is None) or (near is not None and far is not None and near >= far):
            raise InvalidOption("near", f"{near} with `far` {far}, expected both, in meters, 0 < near < far")


@dataclass(frozen=True)
class DepthOptions(Validated):
    """Source of the depth map."""

    depth: str | None = _file("Depth file to use instead of a network.")
    invert_depth: bool = option(False, "The depth file is dark where it is near.")
    hints: str | None = _file(
        "Strokes that repair the depth (default: NAME_hints.png beside the photo; none ignores it).",
        "FILE|none",
        media="photo",
    )
    model: str = option(
        "auto",
        "Depth network (see `depth3d models`), a checkpoint or ONNX file, NAME:FILE, or hf:OWNER/NAME of Hugging Face.",
        convert=as_file,
    )
    device: str = option("auto", "Where the network runs: auto, cpu, cuda or mps.")
    engine: str = option("auto", "What runs the network.", choices=("auto", "torch", "opencv", "openvino"))
    precision: str = option(
        "auto",
        "Precision of the network: float32, bfloat16, or auto (bfloat16 where the processor supports it).",
        choices=("auto", "float32", "bfloat16"),
    )
    threads: int | None = option(None, "Threads of the network (default: the cores of this process).", limits=(1, 1024))
    matcher: str = option("sgm", "How the two eyes of stereo input are matched: sgm, dis, or a network as pwcnet:FILE.")
    stereo: bool = option(True, "Look for a second eye in photos; off: they are ordinary photos.", media="photo")
    layout: str | None = option(None, "Where a photo's eyes are: sbs, sbs-half, cross, tb, tb-half.", media="photo")
    second_eye: str | None = _file("File of the right eye.", media="photo")
    swap_eyes: bool = option(False, "Exchange the two eyes of a stereo photo.", media="photo")


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
        media="photo",
    )
    shutter: float = option(
        0.0,
        "Motion blur: shutter angle, 180 = open for half of each frame (slow).",
        media="photo",
        limits=(0, 360),
        unit="degrees",
    )
    vignette: float = option(0.0, "Darkening of the corners.", media="photo", limits=(0, 95), unit="percent")
    shake: float = percent(0.0, "Camera shake: travel between nearest and farthest point, percent of the width.", 20)


@dataclass(frozen=True)
class StereoOptions(QualityOptions):
    """Two eyes from one picture. A point of depth v in a picture W wide appears
    W * parallax/100 * (v - convergence) further left to the right eye than to the left eye."""

    format: str = option(
        "sbs", "sbs, anaglyph, tb, mpo and more, several with commas (see --list-formats).", metavar="NAME[,NAME]"
    )
    parallax: float = percent(
        2.0, "Difference in disparity between nearest and farthest point, percent of the width.", 50
    )
    convergence: float | Literal["auto"] = option(
        0.5, "Depth at the screen plane: 0 (far) to 1 (near), or auto.", metavar="0..1|auto", limits=(0, 1)
    )
    eyes: Eyes = option("both", "Which eye is rendered: both, left or right; the other eye is the input itself.")
    screen: str | None = option(None, "Diagonal of the viewer's screen, as 55in or 140cm.", convert=as_length("in"))
    distance: str | None = option(None, "Distance between viewer and screen, as 2.5m.", convert=as_length("m"))
    arc_minutes: float | None = option(
        None,
        "Parallax as a visual angle instead of --parallax (needs --screen and --distance).",
        limits=(0, 600),
        unit="arc minutes",
    )
    floating_window: bool = option(False, "Black borders where near objects touch the frame.", media="photo")
    own_eyes: bool = option(
        True, "For stereo input: keep the two eyes in the file, or render new ones (photos) or take it as flat (clips)."
    )
    field_of_view: float | None = option(
        None,
        "Degrees across the longer side, for VR formats (default: from EXIF, else 53).",
        limits=(1, 170),
        unit="degrees",
    )
    views: int | None = option(
        None, "Lenticular prints: number of views (default: dpi divided by lpi).", media="photo", limits=(2, 256)
    )
    lpi: float = option(
        60.0, "Lenticular prints: lenses per inch, as measured with the pitch test.", media="photo", limits=(1, 1000)
    )
    dpi: float = option(600.0, "Lenticular prints: dots per inch of the printer.", media="photo", limits=(30, 10000))
    print_width: str = option("6in", "Lenticular prints: width on paper.", media="photo", convert=as_length("in"))

    def __post_init__(self) -> None:
        Validated.__post_init__(self)
        if (self.screen is None) != (self.distance is None):
            raise InvalidOption("screen", "belongs together with `distance`, as 55in and 2.5m; give both or none")
        if self.arc_minutes is not None and self.screen is None:
            raise InvalidOption("arc_minutes", "needs `screen` and `distance`, as 55in and 2.5m")


@dataclass(frozen=True)
class StabilizeOptions(Validated):
    """How depth is kept from flickering in a clip."""

    media: ClassVar[str] = "clip"

    look_ahead: int = option(12, "Number of later frames that stabilize the depth of a frame.", limits=(0, 600))
    flow: str = option("dis", "Optical flow for stabilizing: dis, or a network as pwcnet:FILE.")
    memory: float = option(10.0, "Number of frames over which the depth of still parts is averaged.", limits=(0, 10000))
    temporal_filter: str = option("recursive", "recursive, or none (for depth that is stable already).")


@dataclass(frozen=True)
class VideoOptions(Validated):
    """How a clip is read, rendered and written."""

    media: ClassVar[str] = "clip"

    codec: str = option(
        "auto", "libx264, libx265, libsvtav1, libvpx-vp9, ffv1, hardware, or auto (libx264; HDR: libx265)."
    )
    crf: int | None = option(
        None, "Constant quality of the encoder, lower is better (default: 18 for libx264).", limits=(0, 100)
    )
    preset: str | None = option(None, "Speed preset of the encoder.")
    start: str | None = option(None, "Begin at this time: seconds or H:MM:SS.", convert=as_time)
    end: str | None = option(None, "Stop at this time: seconds or H:MM:SS.", convert=as_time)
    fps: Fraction | None = option(None, "Another frame rate (default: every frame keeps its time).")
    size: str | None = option(None, "Another size of one eye: WIDTHxHEIGHT or 1080p.", convert=as_size)
    tonemap: bool = option(False, "Convert HDR to SDR (default: HDR stays HDR).")
    save_depth: str | None = _file("Also keep the depth as a lossless 16-bit clip.", "FILE.mkv")
    shots: str | None = _file("Settings per scene: FILE is written if missing (edit it), else read.", "FILE.toml")
    preview: bool = option(False, "Only render a few frames into one picture.")
    dry_run: bool = option(False, "Only print the plan, the file size and the time it will take.")

    def __post_init__(self) -> None:
        Validated.__post_init__(self)
        start, end = clock_seconds(self.start, "start"), clock_seconds(self.end, "end")
        if start is not None and end is not None and end <= start:
            raise InvalidOption("end", f"{self.end} must be later than `start` {self.start}")


@dataclass(frozen=True)
class DepthMapOptions(Validated):
    """A depth map as a file of its own."""

    heatmap: str | None = option(None, "Color map instead of gray; bright or red is near.", choices=_HEATMAPS)
    preview: bool = option(
        False, "Photos: also write photo, depth and heat map side by side. Clips: only a few frames, as one picture."
    )
    facebook: bool = option(False, "Write the pair NAME.jpg and NAME_depth.jpg of a Facebook 3D photo.", media="photo")
    embed: Literal["gdepth", "dynamic"] | None = option(
        None, "Write the photo as a JPEG with its depth inside, as Google's cameras do.", media="photo"
    )


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


@dataclass(frozen=True)
class ViewOptions(ScaleOptions, FocusOptions):
    """The 3D web page. ``near`` and ``far`` give a headset the true scale."""

    amount: float = percent(
        FocusOptions.amount, "Largest travel between nearest and farthest point, percent of the width.", 6
    )
    title: str | None = option(None, "Title of the page (default: the photo's file name).")
    detail: int = option(1024, "Longest side of the depth picture in the page, pixels.", limits=(16, 8192))
    serve: bool = option(False, "Then serve the page on this machine only (for headsets: adb reverse).")
    port: int = option(8123, "Port for --serve; 0 takes a free one.", limits=(0, 65535))


@dataclass(frozen=True)
class CheckOptions(Validated):
    """Where the viewer sits, how many frames of a clip are measured, how the eyes are laid out."""

    screen: str = option("55in", "Diagonal of the viewer's screen, as 55in or 140cm.", convert=as_length("in"))
    distance: str = option("2.5m", "Distance between viewer and screen, as 2.5m.", convert=as_length("m"))
    frames: int = option(12, "Clips: number of frames to measure.", limits=(1, 100_000))
    layout: str | None = option(
        None,
        "Layout of the eyes where name, metadata and content mislead: sbs, sbs-half, cross, tb, tb-half.",
        choices=("sbs", "sbs-half", "cross", "tb", "tb-half"),
    )


ALL_OPTIONS: Sequence[type[Any]] = (
    *(AnimateOptions, StereoOptions, DepthOptions, StabilizeOptions, VideoOptions, DepthMapOptions, MeshOptions),
    *(ViewOptions, CheckOptions, OutputOptions, BatchOptions),
)
