"""Optical-flow networks from user-supplied checkpoint files, for stereo matching and temporal stabilization.

None is bundled, because the licenses of their weights do not allow all uses. A network is selected by
``NAME:/path/of/the/file``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput, ModelError
from depth3d.forkguard import NETWORKS
from depth3d.image import Size
from depth3d.quantities import home_path

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["FLOW_CARDS", "FlowCard", "FlowNetwork", "NamedFlow", "open_flow"]

_log = logging.getLogger("depth3d")
_MULTIPLE = 64  # both families downsample six times by 2
# Images with more pixels are scaled down first: FlowNet 2.0 takes about 4 kB of memory per pixel.
_LARGEST = 1_200_000


@dataclass(frozen=True, slots=True)
class FlowCard:
    """Description of one optical-flow network.

    Parameters
    ----------
    name : str
        Name before the colon in ``NAME:FILE``.
    family : str
        "pwcnet" or "flownet2": the module of ``depth.models`` that builds it.
    parameters : int
        Number of weights.
    license : str
        License of the official weights.
    where : str
        Name and origin of the official file, for messages.
    """

    name: str
    family: str
    parameters: int
    license: str
    where: str


_PWC_LICENSE = "weights CC BY-NC-SA 4.0 (NVIDIA): not for commercial use"
_FLOWNET_LICENSE = "weights under NVIDIA's own FlowNet 2.0 license: treat as for research only"
_PWC_WHERE = "network-default.pytorch of sniklaus/pytorch-pwc, or pwc_net.pth.tar of NVlabs/PWC-Net"
_FLOWNET_WHERE = "of NVIDIA/flownet2-pytorch (its README links them)"

FLOW_CARDS: Mapping[str, FlowCard] = {
    card.name: card
    for card in (
        FlowCard("pwcnet", "pwcnet", 9_374_274, _PWC_LICENSE, _PWC_WHERE),
        *(
            FlowCard(name, "flownet2", parameters, _FLOWNET_LICENSE, f"{file} {_FLOWNET_WHERE}")
            for name, parameters, file in (
                ("flownet2", 162_518_834, "FlowNet2_checkpoint.pth.tar"),
                ("flownet2c", 39_175_298, "FlowNet2-C_checkpoint.pth.tar"),
                ("flownet2s", 38_676_506, "FlowNet2-S_checkpoint.pth.tar"),
                ("flownet2sd", 45_371_666, "FlowNet2-SD_checkpoint.pth.tar"),
                ("flownet2cs", 77_870_620, "FlowNet2-CS_checkpoint.pth.tar"),
                ("flownet2css", 116_565_942, "FlowNet2-CSS_checkpoint.pth.tar"),
            )
        ),
    )
}


def open_flow(name: str, device: str = "auto") -> FlowNetwork:
    """Load the flow network named ``"pwcnet:/path/of/network-default.pytorch"``; the last one is cached.

    ``device`` is a torch device, or "auto": CUDA where there is one, else the CPU.

    Raises ``InvalidInput`` for an unknown name or a missing path, ``ModelError`` for another kind of file.
    """
    kind, _, path = name.partition(":")
    if kind not in FLOW_CARDS:
        raise InvalidInput(f"unknown flow network {kind!r}; expected one of {', '.join(FLOW_CARDS)}")
    card = FLOW_CARDS[kind]
    if not path:
        raise InvalidInput(f"{kind}: no checkpoint given; use {kind}:/path/of/the/file ({card.where})")
    return _kept(card, home_path(path), device)


@dataclass(frozen=True, slots=True)
class NamedFlow:
    """A flow network by name; unlike the network itself, it can be pickled."""

    name: str

    def __post_init__(self) -> None:
        open_flow(self.name)  # report a wrong name or file now, not at frame 1

    def __call__(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute the flow of two (H, W, 3) uint8 RGB images, (H, W, 2) float32 px; see ``FlowNetwork``."""
        return open_flow(self.name)(first, second)


@lru_cache(maxsize=1)
def _kept(card: FlowCard, path: Path, device: str) -> FlowNetwork:
    from depth3d.depth import checkpoint

    NETWORKS.check()
    if device == "auto":
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
    state = checkpoint.read(path)
    _log.info("%s: %s", card.name, card.license)
    network, convert = _build(card)
    checkpoint.load(network, convert(state), f"{card.name} from {path}")
    return FlowNetwork(card, network.eval().to(device))


def _build(card: FlowCard) -> tuple[nn.Module, Callable[[Mapping[str, Tensor]], dict[str, Tensor]]]:
    import torch

    module = import_module(f"depth3d.depth.models.{card.family}")
    with torch.device("meta"):  # skips random initialization: the file provides every parameter
        network = module.PWCNet() if card.family == "pwcnet" else module.FlowNet2(card.name)
    return network, getattr(module, f"convert_{card.family}")


class FlowNetwork:
    """Optical flow (H, W, 2) float32 in px of two (H, W, 3) uint8 RGB images: a[p] corresponds to b[p + flow[p]]."""

    def __init__(self, card: FlowCard, network: nn.Module) -> None:
        self.card = card
        self.network = network

    def __call__(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the flow at the images' size; the network gets them scaled to sides that are multiples of 64."""
        import torch
        from torch.nn import functional

        NETWORKS.check()
        if first.shape != second.shape or first.ndim != 3 or first.shape[2] != 3:
            raise InvalidInput(
                f"flow: got pictures of shape {first.shape} and {second.shape}, expected two of one shape (H, W, 3)"
            )
        size = Size(first.shape[1], first.shape[0])
        inner = network_size(size)
        with torch.inference_mode():
            pair = torch.stack([self._tensor(picture) for picture in (first, second)])
            pair = functional.interpolate(pair, (inner.height, inner.width), mode="bilinear", align_corners=False)
            flow = self._run(pair)
            flow = functional.interpolate(flow, (size.height, size.width), mode="bilinear", align_corners=False)
            scale = torch.tensor([size.width / inner.width, size.height / inner.height]).to(flow)
            flow = (flow[0] * scale[:, None, None]).permute(1, 2, 0)
        if not bool(torch.isfinite(flow).all()):
            raise ModelError(f"{self.card.name}: the network returned infinite or undefined flow; is the file damaged?")
        return np.ascontiguousarray(flow.cpu().numpy(), dtype=np.float32)

    def _tensor(self, picture: NDArray[np.uint8]) -> Tensor:
        import torch

        parameter = next(self.network.parameters())
        pixels = np.ascontiguousarray(picture.transpose(2, 0, 1))
        return torch.from_numpy(pixels).to(device=parameter.device, dtype=parameter.dtype)

    def _run(self, pair: Tensor) -> Tensor:
        flow: Tensor
        if self.card.family == "pwcnet":
            coded = pair.flip(1) / 255  # BGR in 0..1, as in training
            flow = self.network(coded[:1], coded[1:])
        else:
            flow = self.network(pair.permute(1, 0, 2, 3)[None])
        return flow


def network_size(size: Size) -> Size:
    """Return the network's input size for images of ``size``: sides rounded up to multiples of 64, area limited."""
    scale = min(1.0, (_LARGEST / size.pixels) ** 0.5)
    across, down = (max(1, -int(-side * scale // _MULTIPLE)) * _MULTIPLE for side in size)
    return Size(across, down)
