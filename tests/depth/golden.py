"""The golden pack of the official MiDaS code: weights by recipe, outputs, sizes. See its README."""

from __future__ import annotations

import importlib.util
import json
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch


@lru_cache(maxsize=4)
def recipe(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("midas_recipe", folder / "recipe.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def facts(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "variants.json").read_text())["variants"])


def official_state(folder: Path, variant: str) -> dict[str, torch.Tensor]:
    """What `torch.load` of the official file would give: recipe weights, and dummies for index buffers."""
    made = recipe(folder)
    state: dict[str, torch.Tensor] = {}
    for key, entry in made.load_keys(variant).items():
        array = made.tensor(key, entry)
        if array is None:
            array = np.zeros(entry["shape"], entry["dtype"].removeprefix("torch."))
        state[key] = torch.from_numpy(array)
    return state
