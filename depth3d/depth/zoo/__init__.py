"""The built-in networks as data, one module per family.

A new network needs ``depth/models/NAME.py`` and rows here: in the module of its family, or in a new module that is
added below.
"""

from __future__ import annotations

from depth3d.depth.card import ModelCard
from depth3d.depth.zoo import depth_anything, midas, others

__all__ = ["CARDS"]

CARDS: tuple[ModelCard, ...] = (*midas.CARDS, *depth_anything.CARDS, *others.CARDS)
"""All built-in networks, in the order of `depth3d models`."""
