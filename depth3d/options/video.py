"""Options of clips."""

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from depth3d.errors import InvalidOption
from depth3d.options.shared import file_name
from depth3d.quantities import as_size, as_time, clock_seconds
from depth3d.validation import Validated, option

__all__ = ["VideoOptions"]


@dataclass(frozen=True)
class VideoOptions(Validated):
    """How a clip is read, rendered and written."""

    media: ClassVar[str] = "clip"

    codec: str = option(
        "auto", "libx264, libx265, libsvtav1, libvpx-vp9, ffv1, hardware, or auto (libx264; HDR: libx265)."
    )
    crf: int | None = option(
        None, "Constant quality of the encoder, lower is better (default: 17 for libx264).", limits=(0, 100)
    )
    preset: str | None = option(
        None, "Speed preset of the encoder; with `depth3d FILE` also a destination (see `depth3d presets`)."
    )
    start: str | None = option(None, "Begin at this time: seconds or H:MM:SS.", convert=as_time)
    end: str | None = option(None, "Stop at this time: seconds or H:MM:SS.", convert=as_time)
    fps: Fraction | None = option(None, "Another frame rate (default: every frame keeps its time).")
    size: str | None = option(None, "Another size of one eye: WIDTHxHEIGHT or 1080p.", convert=as_size)
    crop_bars: bool = option(False, "Remove letterbox and pillarbox bars (default: they stay, flat and black).")
    tonemap: bool = option(False, "Convert HDR to SDR (default: HDR stays HDR).")
    save_depth: str | None = file_name("Also keep the depth as a lossless 16-bit clip.", "FILE.mkv")
    shots: str | None = file_name("Settings per scene: FILE is written if missing (edit it), else read.", "FILE.toml")
    preview: bool = option(False, "Only render a few frames into one picture.")
    dry_run: bool = option(False, "Only print the plan, the file size and the time it will take.")

    def __post_init__(self) -> None:
        Validated.__post_init__(self)
        start, end = clock_seconds(self.start, "start"), clock_seconds(self.end, "end")
        if start is not None and end is not None and end <= start:
            raise InvalidOption("end", f"{self.end} must be later than `start` {self.start}")
