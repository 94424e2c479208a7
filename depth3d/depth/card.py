"""Description of depth networks as data: input size, normalization, weights file, output, license."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from depth3d.image import Size

__all__ = [
    "IMAGENET",
    "NEUTRAL",
    "UNCHANGED",
    "AreaRule",
    "InputRule",
    "ModelCard",
    "Normalization",
    "ShorterSideRule",
    "VideoRule",
    "WeightsFile",
    "normalized",
]

Output = Literal["inverse_depth", "depth", "log_depth"]
Accuracy = Literal["best", "high", "good", "basic"]
Speed = Literal["fast", "medium", "slow"]


@dataclass(frozen=True, slots=True)
class Normalization:
    """Input normalization (value - mean) / std for red, green and blue; values are sRGB coded in [0, 1]."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


IMAGENET = Normalization((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
UNCHANGED = Normalization((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
NEUTRAL = Normalization((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@dataclass(frozen=True)
class InputRule:
    """Input size and normalization of a network. Subclass it and override `net_size` for another size rule.

    Parameters
    ----------
    size : int
        Side length the network was trained at, pixels.
    keep_aspect : bool
        False = always exactly ``size`` x ``size``.
    method : Literal['minimal', 'upper_bound']
        "minimal": both sides are scaled by the factor closer to 1; "upper_bound": both sides are at most ``size``.
    multiple : int
        Both sides are multiples of this number of pixels.
    normalization : Normalization
        Mean and standard deviation per channel.
    resize : Literal['cubic', 'smooth']
        "cubic" without low-pass (MiDaS), or "smooth": low-pass when shrinking, then linear (scikit-image).
    """

    size: int
    keep_aspect: bool = True
    method: Literal["minimal", "upper_bound"] = "minimal"
    multiple: int = 32
    normalization: Normalization = IMAGENET
    resize: Literal["cubic", "smooth"] = "cubic"

    def net_size(self, picture: Size) -> Size:
        """Network input size for an image of size ``picture``; each side a multiple of ``multiple``, at least that.

        The rule of MiDaS (half is rounded to even), with a lower bound: without one, a very long image gets a side
        of 0.
        """
        across, down = self.size / picture.width, self.size / picture.height
        if self.keep_aspect:
            if self.method == "upper_bound":
                both = min(across, down)
            else:
                both = across if abs(1 - across) < abs(1 - down) else down
            across = down = both
        return Size(self._round(across * picture.width), self._round(down * picture.height))

    def enlarged(self, size: Size, factor: float) -> Size:
        """A network input ``factor`` times as wide and high as ``size``; each side a multiple of ``multiple``."""
        width, height = (max(1, round(side * factor / self.multiple)) * self.multiple for side in size)
        return Size(width, height)

    def _round(self, side: float) -> int:
        rounded = round(side / self.multiple) * self.multiple
        if self.keep_aspect and self.method == "upper_bound" and rounded > self.size:
            rounded = int(side // self.multiple) * self.multiple
        return max(self.multiple, rounded)


@dataclass(frozen=True)
class AreaRule(InputRule):
    """Input of about ``size`` x ``other`` pixels in total, in the image's aspect ratio or exactly that size.

    Parameters
    ----------
    size, other : int
        Width and height the network was trained at; with ``keep_aspect`` only their product counts.
    """

    other: int = 0

    def net_size(self, picture: Size) -> Size:
        """Network input size for an image of size ``picture``; each side at least ``multiple``."""
        if not self.keep_aspect:
            return Size(self.size, self.other)
        scale = (self.size * self.other / picture.pixels) ** 0.5
        return Size(self._round(scale * picture.width), self._round(scale * picture.height))


@dataclass(frozen=True)
class ShorterSideRule(InputRule):
    """Input whose shorter side is ``size``, in the image's aspect ratio: the rule of Depth Anything.

    Parameters
    ----------
    longest : float
        Largest aspect ratio; longer images are scaled down until the longer side is ``longest`` times ``size``.
        The official code has no such limit: a 1:4 image becomes 518x2072, and memory grows with its square.
    """

    longest: float = 3.5

    def net_size(self, picture: Size) -> Size:
        """Network input size for an image of size ``picture``; each side a multiple of ``multiple``."""
        scale = self.size / min(picture)
        limit = self.longest * self.size / max(picture)
        if limit < scale:
            return Size(self._round(limit * picture.width), self._round(limit * picture.height))
        return Size(self._at_least(scale * picture.width), self._at_least(scale * picture.height))

    def _at_least(self, side: float) -> int:
        rounded = round(side / self.multiple) * self.multiple
        return rounded if rounded >= self.size else -int(-side // self.multiple) * self.multiple


@dataclass(frozen=True)
class VideoRule(ShorterSideRule):
    """As `ShorterSideRule`, with a smaller size for images wider than 16:9: the rule of Video-Depth-Anything."""

    def net_size(self, picture: Size) -> Size:
        """Network input size for an image of size ``picture``; each side a multiple of ``multiple``."""
        ratio = max(picture) / min(picture)
        if ratio <= 1.78:
            return super().net_size(picture)
        size = max(1, round(int(self.size * 1.777 / ratio) / self.multiple)) * self.multiple
        return ShorterSideRule(size, multiple=self.multiple, longest=self.longest).net_size(picture)


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A weights file: its name, address, hash and size.

    Parameters
    ----------
    file : str
        Name in the cache folder; `.safetensors` or a format that `torch.load` reads.
    url : str | None
        Download address; None = the user provides the file.
    sha256 : str | None
        Published hash or its published first digits; None = not published.
    size : int | None
        Size in bytes; None = not published.
    also : tuple[str, ...]
        Other published names of the same file, accepted in the cache folder.
    layout : tuple[int, int] | None
        Number of tensors and their bytes in total; limits the size of a file whose exact size was not published.
    resource : str | None
        "package:path" of a file inside an installed package; never downloaded.
    """

    file: str
    url: str | None = None
    sha256: str | None = None
    size: int | None = None
    also: tuple[str, ...] = ()
    layout: tuple[int, int] | None = None
    resource: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ModelCard:
    """One depth network. Register your own with ``depth3d.register(card)``.

    Parameters
    ----------
    name : str
        Name of the network, as in ``model=NAME`` and ``--model NAME``.
    build : str | Callable[[ModelCard], Any]
        ``build(card) -> torch.nn.Module``, or "package.module:function" (so that a card needs no torch). The module
        takes (N, 3, H, W) normalized floats and returns (N, H', W') in the unit given by ``output``. It may have
        two attributes for loading official files: ``renames`` (pairs of regular expression and replacement, applied
        in order to every key) and ``ignored`` (expressions of keys that are not needed).
    weights : WeightsFile | None
        Weights file; None = ``build`` returns the module with its weights.
    input : InputRule
        Size and normalization of the input.
    output : Output
        Meaning of the output: "inverse_depth" (larger = nearer), "depth" (distance, any scale) or "log_depth".
    graph : str | None
        "package.module:function" of a function ``(card, weights file, input size) -> bytes`` that returns the network
        as an ONNX file, which onnxruntime or OpenCV runs without torch; None = no such function.
    settings : Mapping[str, Any]
        Parameters for ``build``.
    marks : Mapping[str, tuple[int, ...]]
        Key -> shape of tensors that only this network's checkpoints contain: they identify files given by path.
    aliases : tuple[str, ...]
        Other names of the network after ``--model``.
    alternatives : Mapping[str, WeightsFile]
        Name -> another file with the same weights. ``model`` accepts the name; a file in the cache folder is used.
    metric : bool
        Whether the output is distance in meters ("depth" only).
    frames : int
        Frames that the network sees at once; more than 1 = a network for clips, which replaces the temporal filter.
    detail : float
        Photos are predicted a second time from an input this many times as wide and high, for sharper edges and
        details; 1 = no second time.
    bfloat16 : bool
        Whether bfloat16 may be tried where the processor supports it (accepted below 1 % error of the range).
    preference : int
        Rank for ``model="auto"``, which takes the highest-ranked network on the disk; 0 = never.
    parameters : int | None
        Number of weights.
    accuracy : Accuracy
        "best", "high", "good" or "basic", as shown by `depth3d models`.
    speed : Speed
        "fast", "medium" or "slow" on a CPU, as shown by `depth3d models`.
    improvement : int | None
        Published improvement of the mean zero-shot error over DPT-L-384, percent.
    license : str
        License of the weights and who published them.
    source : str
        Paper that describes the network.
    """

    name: str
    build: str | Callable[[ModelCard], Any]
    weights: WeightsFile | None
    input: InputRule
    output: Output = "inverse_depth"
    graph: str | None = None
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    marks: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    aliases: tuple[str, ...] = ()
    alternatives: Mapping[str, WeightsFile] = field(default_factory=lambda: MappingProxyType({}))
    metric: bool = False
    frames: int = 1
    detail: float = 1.0
    bfloat16: bool = True
    preference: int = 0
    parameters: int | None = None
    accuracy: Accuracy = "good"
    speed: Speed = "medium"
    improvement: int | None = None
    license: str = "unknown"
    source: str = ""


def normalized(name: str) -> str:
    """Return a network name in the form used for comparison: lower case, "-" replaced by "_"."""
    return name.strip().lower().replace("-", "_")
