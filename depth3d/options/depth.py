"""Options of the depth map: its source, its stability in clips, and depth maps as files."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from depth3d.errors import InvalidOption
from depth3d.options.shared import engine_name, eye_layout, file_name, refuse_two_places
from depth3d.quantities import as_file
from depth3d.validation import Validated, option

__all__ = ["DepthMapOptions", "DepthOptions", "StabilizeOptions"]

_HEATMAPS = ("gray", "inferno", "magma", "plasma", "viridis", "turbo", "jet", "cividis", "spectral")


@dataclass(frozen=True)
class DepthOptions(Validated):
    """Source of the depth map."""

    depth: str | None = file_name("Depth file to use instead of a network.")
    invert_depth: bool = option(False, "The depth file is dark where it is near.")
    hints: str | None = file_name(
        "Strokes that repair the depth (default: NAME_hints.png beside the photo, NAME_hints.json beside the clip; none"
        " ignores it).",
        "FILE|none",
    )
    relief: float = option(
        0.0,
        "Roundness of faces and hills: 1 doubles the fine relief inside surfaces, and rounds what stands in front.",
        media="photo",
        limits=(0, 8),
    )
    model: str = option(
        "auto",
        "Depth network (see `depth3d models`), a checkpoint or ONNX file, NAME:FILE, or hf:OWNER/NAME of Hugging Face.",
        convert=as_file,
    )
    device: str = option("auto", "Where the network runs: auto, cpu, cuda or mps.")
    engine: str = engine_name()
    precision: str = option(
        "auto",
        "Precision of the network: float32, bfloat16, or auto (bfloat16 where the processor supports it).",
        choices=("auto", "float32", "bfloat16"),
    )
    threads: int | None = option(None, "Threads of the network (default: the cores of this process).", limits=(1, 1024))
    matcher: str = option("sgm", "How the two eyes of stereo input are matched: sgm, dis, or a network as pwcnet:FILE.")
    stereo: bool = option(True, "Look for a second eye; off: stereo photos and clips are ordinary ones.")
    layout: str | None = eye_layout()
    second_eye: str | None = file_name("File of the right eye.", media="photo")
    swap_eyes: bool = option(False, "Exchange the two eyes of stereo input.")
    flat: bool = option(False, "Take a 360 or 180 degree photo or clip for a flat one.")
    from_anaglyph: bool = option(False, "Recover the two eyes of an anaglyph (red-cyan and others).", media="photo")

    def __post_init__(self) -> None:
        Validated.__post_init__(self)
        refuse_two_places(self.second_eye, self.layout)
        if not self.stereo and (self.layout or self.second_eye or self.swap_eyes or self.from_anaglyph):
            reason = "cannot be off together with `layout`, `second_eye`, `swap_eyes` or `from_anaglyph`"
            raise InvalidOption("stereo", reason)
        if self.from_anaglyph and (self.layout or self.second_eye):
            raise InvalidOption("from_anaglyph", "excludes `layout` and `second_eye`")


@dataclass(frozen=True)
class StabilizeOptions(Validated):
    """How depth is kept from flickering in a clip."""

    media: ClassVar[str] = "clip"

    look_ahead: int = option(12, "Number of later frames that stabilize the depth of a frame.", limits=(0, 600))
    flow: str = option("dis", "Optical flow for stabilizing: dis, or a network as pwcnet:FILE.")
    memory: float = option(10.0, "Number of frames over which the depth of still parts is averaged.", limits=(0, 10000))
    depth_every: int | Literal["auto"] = option(
        1,
        "Run the depth network on every so many frames; auto = less often where little moves. The depth of the others"
        " follows the motion.",
        metavar="1..4|auto",
        limits=(1, 4),
        numeric_text=True,
    )
    temporal_filter: str = option("recursive", "recursive, or none (for depth that is stable already).")


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
