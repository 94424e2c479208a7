"""Depth networks of Hugging Face ``transformers`` (``pip install depth3d[transformers]``): ``--model hf:NAME``.

NAME is a repository ("depth-anything/Depth-Anything-V2-Small-hf") or a folder on this disk. Which numbers the
network wants and what it says stands in its own configuration: Depth Anything, DPT, ZoeDepth, GLPN and whatever
else `AutoModelForDepthEstimation` knows.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any

from depth3d.depth._compat import import_timm
from depth3d.depth.card import InputRule, ModelCard, Normalization, Output
from depth3d.depth.weights import offline
from depth3d.errors import ModelError

__all__ = ["PREFIX", "card_for"]

PREFIX = "hf:"
_METRIC = {"zoedepth", "glpn", "depth_pro"}  # families that say distance whatever their configuration holds


@lru_cache(maxsize=4)
def card_for(name: str) -> ModelCard:
    """The card of the network ``name`` ("hf:" and a repository or folder).

    Raises ``ModelError`` if transformers is missing or the network cannot be had.
    """
    place = name.removeprefix(PREFIX)
    transformers = _import()
    try:
        settings = transformers.AutoConfig.from_pretrained(place, local_files_only=offline())
        mixin = importlib.import_module("transformers.image_processing_base").ImageProcessingMixin
        pictures, _ = mixin.get_image_processor_dict(place, local_files_only=offline())
    except (OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["?"])[0]
        raise ModelError(
            f"{name}: not a depth network of Hugging Face on this disk, and it cannot be fetched ({reason});"
            " give a repository as hf:OWNER/NAME or a folder as hf:PATH"
        ) from error
    return ModelCard(
        name=name,
        build=_build,
        weights=None,
        input=_input(pictures),
        output=_output(settings),
        settings={"place": place},
        bfloat16=False,
        license="see its page on Hugging Face",
        source=f"transformers, {settings.model_type}",
    )


def _build(card: ModelCard) -> Any:
    """The network with its weights."""
    import torch

    class Adapter(torch.nn.Module):
        """(N, 3, H, W) -> what the network calls predicted_depth, (N, H', W')."""

        def __init__(self, network: Any) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.network(pixel_values=x).predicted_depth
            return found.squeeze(1) if found.ndim == 4 else found

    transformers = _import()
    try:
        network = transformers.AutoModelForDepthEstimation.from_pretrained(
            card.settings["place"], local_files_only=offline()
        )
    except (OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["?"])[0]
        raise ModelError(f"{card.name}: its weights cannot be loaded ({reason})") from error
    return Adapter(network)


def _input(pictures: dict[str, Any]) -> InputRule:
    size = pictures.get("size", 384)
    if isinstance(size, dict):
        size = size.get("shortest_edge") or min(size.get("height", 384), size.get("width", 384))
    mean = pictures.get("image_mean") or (0.5, 0.5, 0.5)
    std = pictures.get("image_std") or (0.5, 0.5, 0.5)
    return InputRule(
        size=int(size),
        keep_aspect=bool(pictures.get("keep_aspect_ratio", False)),
        multiple=int(pictures.get("ensure_multiple_of") or pictures.get("size_divisor") or 1),
        normalization=Normalization(tuple(mean), tuple(std)),
    )


def _output(settings: Any) -> Output:
    metric = getattr(settings, "depth_estimation_type", "relative") == "metric"
    return "depth" if metric or settings.model_type in _METRIC else "inverse_depth"


def _import() -> Any:
    try:
        import_timm()  # before torchvision, which transformers imports
        return importlib.import_module("transformers")
    except ImportError as error:
        raise ModelError("--model hf:... needs transformers: pip install 'depth3d[transformers]'") from error
