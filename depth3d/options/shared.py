"""What the options of several commands share: kinds of fields, and mixins."""

from dataclasses import dataclass
from typing import Any, Literal

from depth3d.errors import InvalidOption
from depth3d.quantities import as_file
from depth3d.validation import Validated, option

__all__ = [
    "BatchOptions",
    "FocusOptions",
    "OutputOptions",
    "Quality",
    "QualityOptions",
    "ScaleOptions",
    "engine_name",
    "eye_layout",
    "file_name",
    "percent",
    "refuse_two_places",
]

Quality = Literal["draft", "normal", "high"]


def percent(default: float, help: str, most: float, media: str | None = None) -> Any:
    """Return a field for a number from 0 to ``most``, in percent of the picture's width."""
    more = {} if media is None else {"media": media}
    return option(default, help, metavar="PERCENT", limits=(0, most), unit="percent of the width", **more)


def file_name(help: str, metavar: str = "FILE", **more: Any) -> Any:
    """Return a field for the name of a file, None by default."""
    return option(None, help, metavar=metavar, convert=as_file, **more)


def engine_name() -> Any:
    """Return a field for the name of an inference engine."""
    return option("auto", "What runs the network.", choices=("auto", "torch", "onnxruntime", "opencv", "openvino"))


def eye_layout() -> Any:
    """Return a field for the layout of the two eyes in stereo input, None = found out."""
    return option(
        None,
        "Layout of the eyes where name, metadata and content mislead: sbs, sbs-half, cross, tb, tb-half.",
        choices=("sbs", "sbs-half", "cross", "tb", "tb-half"),
    )


def refuse_two_places(second_eye: str | None, layout: str | None) -> None:
    """Raise ``InvalidOption`` if the eyes are said to be in two files and in one."""
    if second_eye is not None and layout is not None:
        raise InvalidOption("second_eye", "excludes `layout`: the eyes are in two files or in one")


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

    near: float | None = option(None, "Distance of the nearest point, meters (needs `far`).", above=0, limits=(0, 1e6))
    far: float | None = option(None, "Distance of the farthest point, meters (needs `near`).", above=0, limits=(0, 1e6))

    def __post_init__(self) -> None:
        Validated.__post_init__(self)
        near, far = self.near, self.far
        if (near is None) != (far is None) or (near is not None and far is not None and near >= far):
            raise InvalidOption("near", f"{near} with `far` {far}, expected both, in meters, 0 < near < far")

    @property
    def distances(self) -> tuple[float, float] | None:
        """Distances of the nearest and the farthest point in meters, or None."""
        return None if self.near is None or self.far is None else (self.near, self.far)
