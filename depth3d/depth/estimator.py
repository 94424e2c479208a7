"""Estimate depth with a network: ``predict_disparity`` and ``estimate_depth``.

``predict_disparity`` returns the network's output at the network's size. ``estimate_depth`` enlarges the output to the
image's size, with depth edges aligned to the image's edges, and normalizes it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from depth3d.depth import refine
from depth3d.depth.card import ModelCard
from depth3d.depth.preprocess import network_input
from depth3d.depth.selection import select
from depth3d.depthmap import DepthMap, Disparity, normalize
from depth3d.errors import InvalidInput, ModelError
from depth3d.forkguard import NETWORKS
from depth3d.image import Image, Size

if TYPE_CHECKING:
    from depth3d.depth.engines.base import Engine

__all__ = ["Estimator", "estimate_depth", "estimate_with_distances", "open_estimator", "predict_disparity"]

LARGER = 1.5  # times the pixels of the input: smaller pictures have no details that it does not show
MANY = 10  # pictures; for fewer the engine that starts first is the fastest


class Estimator:
    """A loaded depth network; `open_estimator` creates and caches it.

    Several threads may use it; they run the network one after another.
    """

    def __init__(self, card: ModelCard, engine: Engine) -> None:
        self.card = card
        self._engine = engine
        self._lock = threading.Lock()

    def predict(self, images: Iterable[Image]) -> list[Disparity]:
        """Predict one `Disparity` per image, in order, each at the network's input size.

        Raises ``ModelError`` if the output is not one finite (H, W) map per image.
        """
        NETWORKS.check()
        pictures = list(images)
        sizes = [self.card.input.net_size(image.size) for image in pictures]
        found: list[Disparity] = []
        start = 0
        while start < len(pictures):
            stop = start + 1
            while stop < len(pictures) and sizes[stop] == sizes[start] and stop - start < self._engine.batch:
                stop += 1
            found += self._run(pictures[start:stop], sizes[start])
            start = stop
        return found

    def predict_photo(self, image: Image) -> Disparity:
        """Predict one picture; with ``card.detail`` also from a larger input, whose edges and details the result has.

        Raises ``ModelError`` as ``predict`` does.
        """
        (coarse,) = self.predict([image])
        size = self.card.input.net_size(image.size)
        if self.card.detail == 1 or image.size.pixels < LARGER * size.pixels:
            return coarse
        (detailed,) = self._run([image], self.card.input.enlarged(size, self.card.detail))
        return Disparity(refine.add_detail(coarse.values, detailed.values))

    def predict_clip(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Predict consecutive frames of one size together: (T, H, W) float32 disparity, T at most ``card.frames``.

        Raises ``ModelError`` if the engine or network does not support clips, or a map is not finite.
        """
        NETWORKS.check()
        run = getattr(self._engine, "run_clip", None)
        if run is None or self.card.frames < len(images):
            raise ModelError(
                f"{self.card.name}: {len(images)} frames cannot be predicted together with this engine; use"
                " `engine='torch'` and a network for clips (`depth3d models`)"
            )
        size = self.card.input.net_size(images[0].size)
        batch = np.stack([network_input(image, self.card.input, size) for image in images])
        with self._lock:
            maps = run(batch)
        return np.stack([one.values for one in self._checked(maps, len(images))])

    def _run(self, pictures: Sequence[Image], size: Size) -> list[Disparity]:
        batch = np.stack([network_input(image, self.card.input, size) for image in pictures])
        with self._lock:
            maps = self._engine(batch)
        return self._checked(maps, len(pictures))

    def _checked(self, maps: NDArray[np.float32], count: int) -> list[Disparity]:
        if maps.ndim != 3 or len(maps) != count or not np.isfinite(maps).all():
            raise ModelError(
                f"{self.card.name}: the network returned shape {maps.shape} with {int((~np.isfinite(maps)).sum())}"
                f" infinite or undefined values, expected ({count}, H, W) without any; try `precision='float32'`"
            )
        return [Disparity(_inverse_depth(one, self.card)) for one in maps]


def predict_disparity(
    images: Iterable[Image],
    model: str | Path = "auto",
    *,
    device: str = "auto",
    engine: str = "auto",
    threads: int | None = None,
    precision: str = "auto",
    quiet: bool = False,
) -> list[Disparity]:
    """Predict the relative inverse depth of every image: (h, w) float32 at the network's size, larger = nearer.

    Raises ``ModelError`` (unknown model, device or engine) or its child ``WeightsError``.

    Parameters
    ----------
    images : Iterable[Image]
        Pictures of any sizes.
    model : str | Path
        "auto", a name listed by `depth3d models`, or the path of a checkpoint file.
    device : str
        "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1" ... or "mps".
    engine : str
        "auto": OpenCV for the built-in network on the CPU, onnxruntime if there are ten pictures or more, torch for
        every other network; or "torch", "onnxruntime", "opencv", "openvino" (``pip install depth3d[openvino]``).
    threads : int | None
        CPU threads for the network; None = the cores that this process may use.
    precision : str
        "float32"; "bfloat16"; or "auto": bfloat16 where the processor supports it natively and the measured error is
        below 1 % of the range.
    quiet : bool
        Show no download progress.
    """
    pictures = _checked(images)
    estimator = open_estimator(
        model,
        device=device,
        engine=engine,
        threads=threads,
        precision=precision,
        quiet=quiet,
        many=len(pictures) >= MANY,
    )
    return estimator.predict(pictures)


def estimate_depth(
    image: Image,
    model: str | Path = "auto",
    *,
    device: str = "auto",
    engine: str = "auto",
    threads: int | None = None,
    precision: str = "auto",
    quiet: bool = False,
) -> DepthMap:
    """Estimate the (H, W) depth map of one image at its full size, with depth edges aligned to the image's edges.

    Raises ``ModelError`` (unknown model, device or engine) or its child ``WeightsError``.

    Parameters
    ----------
    image : Image
        The picture.
    model : str | Path
        "auto", a name listed by `depth3d models`, or the path of a checkpoint file.
    device : str
        "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1" ... or "mps".
    engine : str
        "auto": OpenCV for the built-in network on the CPU, torch for every other one; or "torch", "onnxruntime",
        "opencv", "openvino" (``pip install depth3d[openvino]``).
    threads : int | None
        CPU threads for the network; None = the cores that this process may use.
    precision : str
        "float32", "bfloat16" or "auto", see `predict_disparity`.
    quiet : bool
        Show no download progress.
    """
    depth, _ = estimate_with_distances(
        image, model, device=device, engine=engine, threads=threads, precision=precision, quiet=quiet
    )
    return depth


def estimate_with_distances(
    image: Image, model: str | Path = "auto", **options: Any
) -> tuple[DepthMap, tuple[float, float] | None]:
    """Estimate depth and the distances of the nearest and the farthest point in meters; see `estimate_depth`.

    The distances are None for networks whose output has no known scale.
    """
    estimator = open_estimator(model, **options)
    (picture,) = _checked([image])
    disparity = estimator.predict_photo(picture)
    full = refine.upsample(disparity.values, image)
    low, high = float(full.min()), float(full.max())
    normalize(full, low, high)
    return DepthMap(full), (1 / high, 1 / low) if estimator.card.metric and 0 < low < high else None


def open_estimator(
    model: str | Path = "auto",
    *,
    device: str = "auto",
    engine: str = "auto",
    threads: int | None = None,
    precision: str = "auto",
    quiet: bool = False,
    many: bool = False,
) -> Estimator:
    """Load the network for these options; the two estimators used last are cached.

    ``many``: several pictures follow, so "auto" takes the fastest engine instead of the one that starts first.
    """
    NETWORKS.check()
    chosen = select(model, quiet=quiet)
    stamp = None if chosen.path is None else chosen.path.stat().st_mtime_ns
    many &= chosen.card.graph is not None  # others have one engine for both, and are loaded once
    return _kept(chosen.card, chosen.path, stamp, device, engine, threads, precision, many)


@lru_cache(maxsize=2)
def _kept(
    card: ModelCard,
    path: Path | None,
    stamp: int | None,
    device: str,
    engine: str,
    threads: int | None,
    precision: str,
    many: bool,
) -> Estimator:
    from depth3d.depth.engines.factory import open_engine

    opened = open_engine(card, path, device=device, engine=engine, threads=threads, precision=precision, many=many)
    return Estimator(card, opened)


def _checked(images: Iterable[Image]) -> list[Image]:
    if isinstance(images, Image):
        raise InvalidInput("predict_disparity: got one Image, expected several; use [image] for a single one")
    pictures = list(images)
    for image in pictures:
        if not isinstance(image, Image):
            raise InvalidInput(f"predict_disparity: got {type(image).__name__}, expected Image (from `open_image`)")
    return pictures


def _inverse_depth(values: NDArray[np.float32], card: ModelCard) -> NDArray[np.float32]:
    if card.output == "inverse_depth":
        return values
    if card.output == "log_depth":
        return np.asarray(np.exp(-values), np.float32)
    positive = values[values > 0]
    if positive.size == 0:
        raise ModelError(f"{card.name}: the network returned no positive depth; try another image or network")
    return np.asarray(1 / np.maximum(values, positive.min()), np.float32)
