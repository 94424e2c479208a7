"""Every MiDaS network computes the official function: golden outputs in float32, identity in float64."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from depth import golden

from depth3d.depth import checkpoint, registry
from depth3d.depth.card import ModelCard

LARGE = {
    "dpt_large_384", "dpt_beit_large_512", "dpt_beit_large_384", "dpt_beit_base_384", "dpt_swin2_large_384",
    "dpt_swin2_base_384", "dpt_swin_large_384", "dpt_next_vit_large_384",
}  # fmt: skip
# The same code, with other numbers of channels and blocks, is compared in float64 for a smaller network.
ALIKE = {"dpt_beit_large_512", "dpt_beit_large_384", "dpt_swin2_large_384"}
MIDAS = [card for card in registry.cards() if card.name.startswith(("midas_", "dpt_"))]
BY_CARD = pytest.mark.parametrize(
    "card",
    [pytest.param(card, marks=pytest.mark.slow if card.name in LARGE else ()) for card in MIDAS],
    ids=lambda card: card.name,
)


@pytest.fixture(autouse=True)
def _free_memory() -> Iterator[None]:
    yield
    gc.collect()


@BY_CARD
def test_golden(card: ModelCard, golden_folder: Path) -> None:
    network = checkpoint.build(card)
    checkpoint.load(network, golden.official_state(golden_folder, card.name), card.name)
    stored = np.load(golden_folder / f"{card.name}.npz")
    cases = [case for case in ("sq", "ns") if f"{case}_hw" in stored]
    assert "sq" in cases
    if card.name in LARGE:  # the smaller, not square one: a minute less for all of them
        cases = cases[-1:]
    with torch.inference_mode():
        for case in cases:
            check_float32(network, stored, case, golden_folder)
        if card.name in ALIKE:
            return
        network.double()
        for case in cases:
            out, expected = run(network, stored, case, golden_folder, torch.float64)
            assert error(out, stored[f"{case}_out64"], expected) <= 2e-6


def check_float32(network: torch.nn.Module, stored: dict[str, np.ndarray], case: str, folder: Path) -> None:
    out, expected = run(network, stored, case, folder, torch.float32)
    height, width = stored[f"{case}_hw"]
    assert out.shape == (height, width)
    assert error(out, expected, expected) <= 5e-4
    deviation = float(expected.std())
    assert np.abs(out[height // 2] - stored[f"{case}_row"]).max() <= 5e-4 * deviation
    assert np.abs(out[:, width // 2] - stored[f"{case}_col"]).max() <= 5e-4 * deviation
    assert abs((out > 0).mean() - stored[f"{case}_stats"][4]) <= 1e-3


def run(
    network: torch.nn.Module, stored: dict[str, np.ndarray], case: str, folder: Path, dtype: torch.dtype
) -> tuple[np.ndarray, np.ndarray]:
    height, width = (int(side) for side in stored[f"{case}_hw"])
    x = torch.from_numpy(golden.recipe(folder).net_input(height, width)).to(dtype)
    return network(x)[0].numpy(), stored[f"{case}_out"]


def error(out: np.ndarray, expected: np.ndarray, scale: np.ndarray) -> float:
    stride = -(-out.shape[0] // expected.shape[0])
    return float(np.abs(out[::stride, ::stride] - expected).max() / scale.std())
