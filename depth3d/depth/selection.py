"""Find the network and the weights file for the argument ``model``."""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from depth3d.depth import registry, weights
from depth3d.depth.card import ModelCard, normalized
from depth3d.errors import ModelError, WeightsError
from depth3d.quantities import home_path

__all__ = ["Selection", "select"]

_log = logging.getLogger("depth3d")

# Depth Anything V2 Small is more accurate, but larger (99 MB instead of 86) and 14 times slower on a CPU: see the table
# of examples/benchmark_depth.py in README.md.
AUTO_DOWNLOAD = "midas_v21_small_256"
SHIPPED = "tiny"
PLACEHOLDER = "gradient"
AUTO_TIMEOUT = 5.0  # seconds; short, because the user did not ask for this download
AUTO_PAUSE = 3600.0  # seconds before a failed automatic download is tried again
_said: set[Path] = set()  # files that record messages which this process has logged
_SUFFIXES = (".pt", ".pth", ".safetensors", ".ckpt", ".bin", ".onnx")


@dataclass(frozen=True, slots=True)
class Selection:
    """A network and the path of its weights file (None = the network needs no file)."""

    card: ModelCard
    path: Path | None


def select(model: str | Path, *, quiet: bool = False) -> Selection:
    """Find a network by "auto", a name or alias of the registry, the path of a checkpoint file, or "NAME:FILE".

    "auto" takes the network with the highest ``preference`` whose weights are on the disk; if there is none,
    it tries to download MiDaS v2.1 small (never when ``DEPTH3D_OFFLINE`` is set), otherwise it uses `tiny`.

    Raises ``ModelError`` for unknown names and unknown checkpoints, ``WeightsError`` if weights are not available.
    """
    if model == "auto":
        return _automatic(quiet)
    named = _named_file(str(model))
    if named is not None:
        return named
    if isinstance(model, Path) or Path(model).suffix.lower() in _SUFFIXES:
        return _by_keys(home_path(model))
    card = registry.get(model)
    tell_license(card)
    return Selection(card, None if card.weights is None else weights.locate(card, quiet=quiet))


def _named_file(model: str) -> Selection | None:
    """Resolve "NAME:FILE": the network NAME with the weights in FILE; None for any other form of ``model``."""
    name, colon, file = model.partition(":")
    known = {normalized(word) for card in registry.cards() for word in (card.name, *card.aliases)}
    if not colon or not file or normalized(name) not in known:
        return None
    card, path = registry.get(name), home_path(file)
    if card.weights is None:
        raise ModelError(f"{name} has no weights file; use `model='{name}'`")
    if not path.is_file():
        raise WeightsError(f"{path}: there is no such file; check the path")
    tell_license(card)
    return Selection(card, path)


def tell_license(card: ModelCard) -> None:
    """Log the license of a network with non-commercial weights, once for each cache folder."""
    if "not for commercial use" in card.license:
        _once_per_cache(f"told-license-of-{card.name}", f"{card.name}: {card.license}")


def _automatic(quiet: bool) -> Selection:
    there = [card for card in registry.cards() if card.preference > 0 and weights.cached(card)]
    for card in sorted(there, key=lambda card: -card.preference):
        try:
            return Selection(card, weights.locate(card, download=False))
        except WeightsError as error:  # its damaged file has been renamed; go on with the next network
            _log.warning("%s", error)
    if not weights.offline() and _may_try():
        card = registry.get(AUTO_DOWNLOAD)
        try:
            return Selection(card, weights.locate(card, timeout=AUTO_TIMEOUT, quiet=quiet))
        except WeightsError as error:
            _remember_failure()
            _log.debug("%s", error)  # only for debugging: `_without_download` reports the network used instead
    return _without_download()


def _without_download() -> Selection:
    if SHIPPED in registry.names():
        card = registry.get(SHIPPED)
        if card.weights is None or weights.cached(card):
            _tell_of_shipped()
            return Selection(card, None if card.weights is None else weights.locate(card))
    _warn_of_guess()
    return Selection(registry.get(PLACEHOLDER), None)


def _tell_of_shipped() -> None:
    _once_per_cache(
        "told-of-tiny",
        f"no larger depth network is on this disk and none could be downloaded: using {SHIPPED}, which is built in."
        f" `depth3d models download {AUTO_DOWNLOAD}` gets a better one (this message is shown once)",
    )


def _warn_of_guess() -> None:
    _once_per_cache(
        "told-of-placeholder",
        "no depth network is on this disk and none could be downloaded: depth is only a guess (bottom = near)."
        f" Run `depth3d models download {AUTO_DOWNLOAD}` once while online, or use a depth map (`depth=FILE`)",
    )


def _once_per_cache(name: str, line: str) -> None:
    """Log ``line`` once per cache folder, or once per process if the folder cannot be written."""
    note = weights.cache_folder() / name
    if note in _said or note.exists():
        return
    _said.add(note)
    _log.warning("%s", line)
    with contextlib.suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(f"{line}\n", encoding="utf-8")


def _by_keys(path: Path) -> Selection:
    if path.suffix.lower() == ".onnx":
        from depth3d.depth import onnx

        return Selection(onnx.card_for(path), path)
    from depth3d.depth import checkpoint

    return Selection(checkpoint.recognize(checkpoint.read(path), registry.cards(), path), path)


def _failure_note() -> Path:
    return weights.cache_folder() / "no-network"


def _may_try() -> bool:
    try:
        return time.time() - _failure_note().stat().st_mtime > AUTO_PAUSE
    except OSError:
        return True


def _remember_failure() -> None:
    with contextlib.suppress(OSError):
        weights.cache_folder().mkdir(parents=True, exist_ok=True)
        _failure_note().touch()
