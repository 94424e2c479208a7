"""What the torch engine does on a CUDA card, with the CPU standing in for the card: no machine of CI has one."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from depth3d.depth import registry, weights
from depth3d.depth.card import ModelCard
from depth3d.depth.engines import torch as engine
from depth3d.depth.engines.precision import PrecisionProbe
from depth3d.depth.engines.torch import GPU_BATCH, TorchEngine
from depth3d.errors import ModelError

CARD = registry.get("tiny")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A device that says it is "cuda"; whatever is moved to it stays on the CPU. ``level``: its compute capability."""
    stand_in = SimpleNamespace(type="cuda", level=(7, 5))
    for kind in (nn.Module, torch.Tensor):
        monkeypatch.setattr(kind, "to", _staying(kind.to, stand_in))
    autocast = torch.autocast
    monkeypatch.setattr(torch, "autocast", lambda _, *rest, **named: autocast("cpu", *rest, **named))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: stand_in.level)
    monkeypatch.setattr(engine, "choose_device", lambda _: stand_in)
    return stand_in


def _staying(move: Any, stand_in: object) -> Any:
    def to(self: object, *places: object, **named: object) -> object:
        return move(self, *("cpu" if place is stand_in else place for place in places), **named)

    return to


def opened(device: str, precision: str = "auto", model: ModelCard = CARD) -> TorchEngine:
    found = weights.cached(CARD)
    assert found is not None
    return TorchEngine(model, found.path, device=device, threads=2, precision=precision)


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 1, (count, 3, 64, 96)).astype(np.float32)


def test_a_batch_is_one_pass_and_says_what_the_cpu_says(card: SimpleNamespace) -> None:
    on_card = opened("cuda")
    assert on_card.batch == GPU_BATCH
    passes: list[int] = []
    on_card.network.register_forward_pre_hook(lambda _, inputs: passes.append(len(inputs[0])))
    found = on_card(pictures(5))
    assert passes == [5]
    with pytest.MonkeyPatch.context() as undone:
        undone.setattr(engine, "choose_device", torch.device)
        on_cpu = opened("cpu", "float32")
    assert np.abs(found - on_cpu(pictures(5))).max() <= 1e-4 * found.std()


@pytest.mark.parametrize(("level", "tried"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_bfloat16_is_tried_on_cards_that_have_it(
    card: SimpleNamespace, level: tuple[int, int], tried: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    card.level = level
    monkeypatch.setattr(engine, "identity", lambda *_: None)  # no decision is remembered
    run = opened("cuda", model=replace(CARD, bfloat16=True))._run
    assert isinstance(run, PrecisionProbe) == tried
    assert not isinstance(opened("cuda", model=replace(CARD, bfloat16=False))._run, PrecisionProbe)


def test_a_card_without_memory_is_told(card: SimpleNamespace) -> None:
    on_card = opened("cuda")

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    on_card.network.register_forward_pre_hook(full)
    with pytest.raises(ModelError, match="too little memory for this network; use `device='cpu'`"):
        on_card(pictures(1))


def test_the_card_is_the_automatic_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert engine.choose_device("auto").type == "cuda"
    assert engine.choose_device("cuda:1").index == 1
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert engine.choose_device("auto").type != "cuda"
    with pytest.raises(ModelError, match="'cuda:1' is not available"):
        engine.choose_device("cuda:1")
