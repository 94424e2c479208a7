"""Depth networks of Hugging Face transformers (``pip install depth3d[transformers]``), ``model="hf:NAME"``.

NAME is a repository ("Intel/zoedepth-nyu-kitti") or a folder. Input size, normalization and post-processing come from
the network's image processor. The table `FAMILIES` gives the meaning of the result: inverse depth, or distance in
meters.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from depth3d.depth._compat import import_timm
from depth3d.depth.card import UNCHANGED, AreaRule, InputRule, ModelCard, Normalization
from depth3d.depth.weights import offline
from depth3d.errors import ModelError
from depth3d.quantities import home_path

__all__ = ["FAMILIES", "PREFIX", "card_for"]

PREFIX = "hf:"
_log = logging.getLogger("depth3d")


def _declared_metric(config: Any) -> bool:
    return bool(getattr(config, "depth_estimation_type", "relative") == "metric")


def _on_dinov2(config: Any) -> bool:
    """Whether a DPT is metric: on DINOv2 they predict distances (trained on NYU or KITTI), all others inverse depth."""
    backbone = getattr(config, "backbone_config", None)
    return str(getattr(backbone, "model_type", "")).startswith("dinov2")


FAMILIES: dict[str, Callable[[Any], bool]] = {
    "depth_anything": _declared_metric,
    "dpt": _on_dinov2,
    "zoedepth": lambda _: True,
    "depth_pro": lambda _: True,
    "glpn": lambda _: True,
    "prompt_depth_anything": _declared_metric,
}
"""``model_type`` -> function of the configuration: whether the post-processed output is distance in meters.

Otherwise it is inverse depth of unknown scale and shift, larger = nearer.
"""


@lru_cache(maxsize=4)
def card_for(name: str) -> ModelCard:
    """Describe the network ``name`` ("hf:" and a repository or folder) as a card.

    Raises
    ------
    ModelError
        If transformers is not installed or the network is not available.
    """
    place = _place(name)
    transformers = _import()
    try:
        config = transformers.AutoConfig.from_pretrained(place, local_files_only=offline())
        processor = transformers.AutoImageProcessor.from_pretrained(place, local_files_only=offline())
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(
            f"{name}: not on this disk as a depth network of Hugging Face, and not downloadable"
            f" ({_first_line(error)}); use hf:OWNER/NAME for a repository or hf:PATH for a folder"
        ) from error
    kind = str(config.model_type)
    if kind not in FAMILIES:
        _log.warning(
            "%s: the meaning of the output of %s is not known; it is taken as inverse depth. If near and far are"
            " swapped in the result, use `invert_depth=True`",
            name,
            kind,
        )
    metric = FAMILIES.get(kind, _declared_metric)(config)
    return ModelCard(
        name=name,
        build=_build,
        weights=None,
        input=_input(processor),
        output="depth" if metric else "inverse_depth",
        metric=metric,
        settings={"place": place, "processor": processor},
        bfloat16=False,
        license="see its page on Hugging Face",
        source=f"transformers, {kind}",
    )


def _build(card: ModelCard) -> Any:
    """Load the network with its weights and add the post-processing of its image processor."""
    import torch

    processor = card.settings["processor"]

    class Adapter(torch.nn.Module):
        """Run the network and its post-processing: (N, 3, H, W) -> depth (N, H, W)."""

        def __init__(self, network: Any) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            outputs = self.network(pixel_values=x)
            size = (int(x.shape[-2]), int(x.shape[-1]))
            # Depth Pro scales by the field of view only if the target size is given. ZoeDepth's post-processing would
            # remove a border that its own processor adds, but `network_input` does not.
            extra = {"do_remove_padding": False} if hasattr(processor, "do_pad") and _is_zoedepth(processor) else {}
            found = processor.post_process_depth_estimation(outputs, target_sizes=[size] * len(x), **extra)
            return torch.stack([one["predicted_depth"].reshape(size) for one in found])

    transformers = _import()
    try:
        network = transformers.AutoModelForDepthEstimation.from_pretrained(
            card.settings["place"], local_files_only=offline()
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"{card.name}: the weights cannot be loaded ({_first_line(error)})") from error
    return Adapter(network)


def _is_zoedepth(processor: Any) -> bool:
    return type(processor).__name__.startswith("ZoeDepth")


def _place(name: str) -> str:
    """Return the repository name, or the folder with "~" expanded."""
    place = name.removeprefix(PREFIX)
    folder = home_path(place)
    return str(folder) if folder.is_dir() else place


def _input(processor: Any) -> InputRule:
    """Return the size rule and normalization of an image processor."""

    def value(key: str) -> Any:
        return getattr(processor, key, None)

    normalization = UNCHANGED
    if value("image_mean") is not None and value("do_normalize") is not False:
        normalization = Normalization(tuple(processor.image_mean), tuple(processor.image_std))
    multiple = float(value("ensure_multiple_of") or value("size_divisor") or 1)
    if multiple < 1:  # ZoeDepth's default is 1/32 and means 32
        multiple = 1 / multiple
    size = value("size")
    if size is None:  # GLPN takes any size; it was trained with 640x480
        return AreaRule(640, other=480, multiple=round(multiple), normalization=normalization)
    if not isinstance(size, int):
        sides = [getattr(size, key, None) or 0 for key in ("shortest_edge", "height", "width")]
        size = min((side for side in sides if side), default=384)
    return InputRule(
        size=int(size),
        keep_aspect=bool(value("keep_aspect_ratio")),
        multiple=round(multiple),
        normalization=normalization,
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["?"])[0]


def _import() -> Any:
    try:
        import_timm()  # before torchvision, which transformers imports
        return importlib.import_module("transformers")
    except ImportError as error:
        raise ModelError("`model='hf:...'` needs transformers: pip install 'depth3d[transformers]'") from error
