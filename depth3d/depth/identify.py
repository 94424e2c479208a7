"""Identify the network of a checkpoint file given by path: by its keys, its name, or the config.json beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from depth3d.depth.card import ModelCard, normalized
from depth3d.errors import ModelError

__all__ = ["identify"]

_SHORTEST = 8  # characters; shorter aliases ("da2s") often occur by chance within other words


def identify(shapes: Mapping[str, tuple[int, ...]], cards: Iterable[ModelCard], path: Path) -> ModelCard:
    """Find the card whose marks are in ``shapes``; if several match, decide by file name or config.json.

    Parameters
    ----------
    shapes : Mapping[str, tuple[int, ...]]
        Key of each tensor in the file -> its shape.
    cards : Iterable[ModelCard]
        Cards to choose from.
    path : Path
        Path of the file; its name and folders may contain a name of the network.

    Raises
    ------
    ModelError
        If no card matches, or several do and neither name nor config.json tells them apart.
    """
    cards = list(cards)
    fitting = [
        card for card in cards if card.marks and all(shapes.get(key) == shape for key, shape in card.marks.items())
    ]
    if not fitting:
        known = ", ".join(card.name for card in cards if card.marks)
        raise ModelError(f"{path}: not a checkpoint of a supported network; supported: {known}")
    if len(fitting) == 1:
        return fitting[0]
    found = _by_config(fitting, path.with_name("config.json")) or _by_name(fitting, path)
    if found is None:
        names = ", ".join(card.name for card in fitting)
        raise ModelError(
            f"{path}: the file fits several networks ({names}); say which one it is, for example"
            f" `model='{fitting[0].name}:{path.name}'`"
        )
    return found


def _by_name(cards: list[ModelCard], path: Path) -> ModelCard | None:
    """Return the card with the longest name that occurs in the last parts of ``path``, or None."""
    place = normalized("/".join(path.absolute().parts[-5:]))
    place = place.replace("__", "/")  # the hub's cache: models--OWNER--NAME
    best: tuple[int, ModelCard | None] = (0, None)
    for card in cards:
        for word in (card.name, *card.aliases, *card.alternatives):
            if len(word) >= max(_SHORTEST, best[0] + 1) and normalized(word) in place:
                best = (len(word), card)
    return best[1]


def _by_config(cards: list[ModelCard], path: Path) -> ModelCard | None:
    """Return the card whose settings equal those in the config.json of transformers; None without such a file."""
    try:
        config: Any = json.loads(path.read_text(encoding="utf-8"))
        taps = tuple(int(index) - 1 for index in config["backbone_config"]["out_indices"])
        metric = config.get("depth_estimation_type", "relative") == "metric"
        largest = float(config["max_depth"]) if metric else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    for card in cards:
        if card.settings.get("taps") == taps and card.settings.get("max_depth") == largest:
            return card
    return None
