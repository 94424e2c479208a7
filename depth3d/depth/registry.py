"""Registry of depth networks: built-in cards, cards of other packages, and cards registered at run time.

Another package adds networks by an entry point of the group ``depth3d.models``: a `ModelCard`, a list or tuple of
them, or a function that returns either.
"""

from __future__ import annotations

import difflib
import logging
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace as dataclass_replace
from functools import lru_cache
from importlib.metadata import entry_points

from depth3d.depth.card import ModelCard, normalized
from depth3d.errors import InvalidInput, ModelError

__all__ = ["cards", "get", "names", "register"]

GROUP = "depth3d.models"
_log = logging.getLogger("depth3d")
_lock = threading.RLock()
_registered: dict[str, ModelCard] = {}


def register(card: ModelCard, *, replace: bool = False) -> None:
    """Make a network available as ``model=card.name``.

    Raises ``InvalidInput`` if ``card`` is not a `ModelCard`, or the name is taken and ``replace`` is false.

    Parameters
    ----------
    card : ModelCard
        Description of the network: its name, build function, weights and input.
    replace : bool
        Replace a network of the same name.
    """
    if not isinstance(card, ModelCard):
        raise InvalidInput(f"register: got {type(card).__name__}, expected a ModelCard")
    with _lock:
        if not replace and card.name in _shipped() | _registered.keys():
            raise InvalidInput(
                f"register: a model named {card.name!r} exists already; use `replace=True` to replace it"
            )
        _registered[card.name] = card


def cards() -> tuple[ModelCard, ...]:
    """Return all networks, in the order of `depth3d models`."""
    with _lock:
        return tuple((_shipped() | _from_entry_points() | _registered).values())


def names() -> list[str]:
    """Return the names of all networks, without aliases."""
    return [card.name for card in cards()]


def get(name: str) -> ModelCard:
    """Return the card of the network called ``name`` or one of its aliases; case, "-" and "_" do not matter.

    "hf:OWNER/NAME" and "hf:FOLDER" are networks of Hugging Face transformers.

    Raises
    ------
    ModelError
        For an unknown name, with the closest known ones.
    """
    if name.startswith("hf:"):
        from depth3d.depth.huggingface import card_for

        return card_for(name)
    known: dict[str, ModelCard] = {}
    for card in cards():
        for alias in (*card.aliases, *card.alternatives, card.name):
            known[normalized(alias)] = card
    found = known.get(normalized(name))
    if found is None:
        raise ModelError(_unknown(name, known))
    for alternative in found.alternatives:
        if normalized(alternative) == normalized(name):
            return _with_weights(found, alternative)
    return found


def _unknown(name: str, known: dict[str, ModelCard]) -> str:
    close = [known[match].name for match in difflib.get_close_matches(normalized(name), known, n=3)]
    if "/" in name and not name.startswith((".", "/", "~")):
        near = f"did you mean {' or '.join(dict.fromkeys(close))}? Otherwise, " if close else ""
        return (
            f"there is no built-in model {name!r}; {near}for a repository of Hugging Face use `model='hf:{name}'`"
            " (needs pip install 'depth3d[transformers]')"
        )
    hint = f"did you mean {' or '.join(dict.fromkeys(close))}?" if close else f"expected one of {', '.join(names())}"
    return f"there is no model {name!r}; {hint} (`depth3d models` lists all; a checkpoint file works too)"


@lru_cache(maxsize=8)
def _with_weights(card: ModelCard, alternative: str) -> ModelCard:
    """Return ``card`` with another of its files; cached, because estimators are cached by card."""
    return dataclass_replace(card, weights=card.alternatives[alternative])


@lru_cache(maxsize=1)
def _shipped() -> dict[str, ModelCard]:
    from depth3d.depth.zoo import CARDS

    return {card.name: card for card in CARDS}


@lru_cache(maxsize=1)
def _from_entry_points() -> dict[str, ModelCard]:
    found: dict[str, ModelCard] = {}
    for entry in entry_points(group=GROUP):
        try:
            for card in _flatten(entry.load()):
                found[card.name] = card
        except Exception as error:
            # One broken package must not disable all other networks.
            _log.warning(
                "the depth models of the plug-in %s cannot be loaded (%s); update or remove it", entry.value, error
            )
    return found


def _flatten(thing: object) -> Iterator[ModelCard]:
    if callable(thing):
        thing = thing()
    if isinstance(thing, ModelCard):
        yield thing
        return
    if not isinstance(thing, Iterable):
        raise TypeError(f"got {type(thing).__name__}, expected one or several ModelCard")
    for one in thing:
        if not isinstance(one, ModelCard):
            raise TypeError(f"got {type(one).__name__}, expected ModelCard")
        yield one
