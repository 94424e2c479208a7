"""What a network is, as data: how pictures go in, which file holds the weights, what it is good for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from depth3d.image import Size

__all__ = ["IMAGENET", "NEUTRAL", "UNCHANGED", "AreaRule", "InputRule", "ModelCard", "Normalisation", "WeightsFile"]

Output = Literal["inverse_depth", "depth", "log_depth"]
Accuracy = Literal["best", "high", "good", "basic"]
Speed = Literal["fast", "medium", "slow"]


@dataclass(frozen=True, slots=True)
class Normalisation:
    """(value - mean) / std for each of red, green, blue; values are sRGB coded in [0, 1]."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
UNCHANGED = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
NEUTRAL = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@dataclass(frozen=True)
class InputRule:
    """The size and the numbers a network wants to see. Subclass it and override `net_size` for another rule.

    Parameters
    ----------
    size : int
        The side length the network was trained at, pixels.
    keep_aspect : bool
        False = exactly ``size`` x ``size``, whatever the picture's shape.
    method : Literal['minimal', 'upper_bound']
        "minimal" scales as little as possible; "upper_bound" keeps both sides at or below ``size``.
    multiple : int
        Both sides are multiples of this.
    normalisation : Normalisation
        Mean and deviation taken off the pixels.
    resize : Literal['cubic', 'smooth']
        "cubic" without low-pass (MiDaS), or "smooth": low-pass when shrinking, then linear (scikit-image).
    """

    size: int
    keep_aspect: bool = True
    method: Literal["minimal", "upper_bound"] = "minimal"
    multiple: int = 32
    normalisation: Normalisation = IMAGENET
    resize: Literal["cubic", "smooth"] = "cubic"

    def net_size(self, picture: Size) -> Size:
        """The size at which the network sees a picture of size ``picture``; each side >= ``multiple``.

        The rule of MiDaS. Its rounding is half to even; it has no lower bound, so that a very long
        picture gets a side of 0 there.
        """
        across, down = self.size / picture.width, self.size / picture.height
        if self.keep_aspect:
            if self.method == "upper_bound":
                both = min(across, down)
            else:
                both = across if abs(1 - across) < abs(1 - down) else down
            across = down = both
        return Size(self._round(across * picture.width), self._round(down * picture.height))

    def _round(self, side: float) -> int:
        rounded = round(side / self.multiple) * self.multiple
        if self.keep_aspect and self.method == "upper_bound" and rounded > self.size:
            rounded = int(side // self.multiple) * self.multiple
        return max(self.multiple, rounded)


@dataclass(frozen=True)
class AreaRule(InputRule):
    """About ``size`` x ``other`` pixels in all: in the picture's own shape, or squashed to exactly these.

    Parameters
    ----------
    size, other : int
        Width and height the network was trained at; ``keep_aspect`` says whether the shape is kept.
    """

    other: int = 0

    def net_size(self, picture: Size) -> Size:
        """The size at which the network sees a picture of size ``picture``; each side >= ``multiple``."""
        if not self.keep_aspect:
            return Size(self.size, self.other)
        scale = (self.size * self.other / picture.pixels) ** 0.5
        return Size(self._round(scale * picture.width), self._round(scale * picture.height))


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """Where the weights are.

    Parameters
    ----------
    file : str
        Name in the cache folder; `.safetensors` or whatever `torch.load` reads.
    url : str | None
        Where it is fetched from; None = only the user can bring it.
    sha256 : str | None
        The published hash, or its published first digits; None = none was published.
    size : int | None
        Bytes, or None if not published.
    also : tuple[str, ...]
        Other published names of the same file, accepted in the cache folder.
    resource : str | None
        "package:path" of a file that ships inside a package; nothing is fetched then.
    """

    file: str
    url: str | None = None
    sha256: str | None = None
    size: int | None = None
    also: tuple[str, ...] = ()
    resource: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ModelCard:
    """One depth network. Register your own with ``depth3d.register(card)``.

    Parameters
    ----------
    name : str
        What a user types after ``--model``.
    build : str | Callable[[ModelCard], Any]
        ``build(card) -> torch.nn.Module``, or "package.module:function" (so that a card needs no torch). The module
        takes (N, 3, H, W) normalised floats and returns (N, H', W') as ``output`` says. It may have two attributes
        for loading official files: ``renames`` (pairs of regular expression and replacement, applied in order to
        every key) and ``ignored`` (expressions of keys that are not needed).
    weights : WeightsFile | None
        Where its weights are; None = the module comes with them.
    input : InputRule
        Size and normalisation of what it sees.
    output : Output
        What its numbers mean: larger = nearer, metres (any scale), or the logarithm of those.
    settings : Mapping[str, Any]
        Anything ``build`` wants to know.
    marks : Mapping[str, tuple[int, ...]]
        Key -> shape of a few tensors that only this network's checkpoints have: a file given as a path is recognised
        by them.
    bfloat16 : bool
        May run in bfloat16 where the processor does it natively (error below 1 % of the range).
    preference : int
        Of all networks whose weights are there, ``model="auto"`` takes the greatest; 0 = never.
    improvement : int | None
        Mean zero-shot error against DPT-L-384 in percent as its authors published it, higher = better.
    """

    name: str
    build: str | Callable[[ModelCard], Any]
    weights: WeightsFile | None
    input: InputRule
    output: Output = "inverse_depth"
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    marks: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    aliases: tuple[str, ...] = ()
    bfloat16: bool = True
    preference: int = 0
    parameters: int | None = None
    accuracy: Accuracy = "good"
    speed: Speed = "medium"
    improvement: int | None = None
    licence: str = "unknown"
    source: str = ""
