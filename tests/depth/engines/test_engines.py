"""Engines say what the plain network says: folded norms, bfloat16 only where it does no harm, OpenVINO."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from depth import golden

from depth3d.depth import checkpoint, registry, weights
from depth3d.depth.card import InputRule, ModelCard
from depth3d.depth.engines import base, factory
from depth3d.depth.engines.fold import fold_batch_norms
from depth3d.depth.engines.precision import PrecisionProbe, error_of
from depth3d.depth.engines.torch import TorchEngine
from depth3d.errors import ModelError

SMALL = "midas_v21_small_256"


@pytest.fixture(scope="module")
def small_file(golden_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("official") / f"{SMALL}.pt"
    torch.save(golden.official_state(golden_folder, SMALL), path)
    return path


def test_folding_changes_nothing_but_rounding(golden_folder: Path) -> None:
    card = registry.get(SMALL)
    network = checkpoint.build(card)
    checkpoint.load(network, golden.official_state(golden_folder, SMALL), SMALL)
    x = torch.from_numpy(golden.recipe(golden_folder).net_input(64, 96)).double()
    network.double()
    with torch.inference_mode():
        plain = network(x)
        before = sum(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
        fold_batch_norms(network)
        after = sum(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
        assert (network(x) - plain).abs().max() < 1e-9 * plain.std()
    assert before == 72
    assert after == 0


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_engines_are_exact_in_float32(engine: str, small_file: Path, golden_folder: Path) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino")
    stored = np.load(golden_folder / f"{SMALL}.npz")
    height, width = (int(side) for side in stored["ns_hw"])
    inputs = golden.recipe(golden_folder).net_input(height, width)
    opened = factory.open_engine(
        registry.get(SMALL), small_file, device="cpu", engine=engine, threads=1, precision="float32"
    )
    found = opened(inputs)
    assert found.shape == (1, height, width)
    stride = int(stored["ns_stride"])
    assert np.abs(found[0, ::stride, ::stride] - stored["ns_out"]).max() <= 5e-4 * stored["ns_out"].std()
    if engine == "openvino":
        (kept,) = (weights.cache_folder() / "openvino").glob(f"{SMALL}-*")
        written = (kept / "network.xml").stat().st_mtime_ns
        again = factory.open_engine(
            registry.get(SMALL), small_file, device="cpu", engine=engine, threads=1, precision="float32"
        )
        assert np.array_equal(again(inputs), found)
        assert (kept / "network.xml").stat().st_mtime_ns == written


def test_bfloat16_is_close_and_keeps_the_sensitive_parts(small_file: Path, golden_folder: Path) -> None:
    inputs = golden.recipe(golden_folder).net_input(96, 128)
    exact, quick = (
        TorchEngine(registry.get(SMALL), small_file, device="cpu", threads=1, precision=precision)
        for precision in ("float32", "bfloat16")
    )
    error = error_of(quick(inputs), exact(inputs))
    assert error is not None
    assert 0 < error < 0.03
    kinds = {name: parameter.dtype for name, parameter in quick.network.named_parameters()}
    assert kinds["decoder.fuse.0.unit.conv1.weight"] == torch.bfloat16
    assert kinds["decoder.head.conv3.module.weight"] == torch.float32


@pytest.mark.parametrize(("error", "used"), [(0.001, True), (0.05, False)])
def test_bfloat16_is_used_only_if_it_does_no_harm(error: float, used: bool) -> None:
    ramp = np.linspace(0, 1, 100, dtype=np.float32).reshape(1, 10, 10)
    said: list[str] = []

    def exact(_: np.ndarray) -> np.ndarray:
        said.append("exact")
        return ramp

    def quick(_: np.ndarray) -> np.ndarray:
        said.append("quick")
        return ramp + np.float32(error)

    verdicts: list[bool] = []
    run = trial(exact, quick, verdicts)
    assert np.array_equal(run(ramp), ramp)  # the first result is always the exact one
    assert verdicts == [used]
    said.clear()
    run(ramp)
    assert said == (["quick"] if used else ["exact"])
    said.clear()
    again = trial(exact, quick, verdicts)  # another process: the verdict is on the disk
    assert verdicts == [used, used]
    again(ramp)
    assert said == (["quick"] if used else ["exact"])


def trial(exact: Callable[..., np.ndarray], quick: Callable[..., np.ndarray], verdicts: list[bool]) -> PrecisionProbe:
    return PrecisionProbe(exact, quick, "test", verdicts.append)


def test_a_flat_map_decides_nothing() -> None:
    flat = np.zeros((1, 4, 4), np.float32)
    verdicts: list[bool] = []
    run = trial(lambda x: flat, lambda x: flat + 1, verdicts)
    assert np.array_equal(run(flat), flat)
    assert verdicts == []


def test_threads_follow_the_wish_then_the_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert base.cores() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(base, "_quota", lambda: None)
    if hasattr(os, "sched_getaffinity"):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 5, 6})
        assert base.cores() == 3
        monkeypatch.setattr(base, "_quota", lambda: 2)
        assert base.cores() == 2


def test_missing_openvino_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from depth3d.depth.engines import openvino as openvino_engine

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(openvino_engine.importlib, "import_module", missing)
    card = ModelCard("any", build="nowhere:build", weights=None, input=InputRule(64))
    with pytest.raises(ModelError, match=r"pip install 'depth3d\[openvino\]'"):
        factory.open_engine(card, None, device="cpu", engine="openvino", threads=1, precision="auto")


def test_unknown_precision_is_told() -> None:
    with pytest.raises(ModelError, match="unknown precision 'half'"):
        factory.open_engine(registry.get("gradient"), None, device="cpu", engine="torch", threads=1, precision="half")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_pictures_side_by_side_say_what_each_says_alone(precision: str, small_file: Path) -> None:
    inputs = np.random.default_rng(4).standard_normal((4, 3, 64, 96)).astype(np.float32)
    alone, beside = (
        TorchEngine(registry.get(SMALL), small_file, device="cpu", threads=threads, precision=precision)
        for threads in (1, 4)
    )
    assert (alone.batch, beside.batch) == (1, 4)
    before = torch.get_num_threads()
    assert np.array_equal(beside(inputs), np.concatenate([alone(inputs[n : n + 1]) for n in range(4)]))
    assert torch.get_num_threads() == before


def test_openvino_runs_pictures_side_by_side(small_file: Path) -> None:
    pytest.importorskip("openvino")
    inputs = np.random.default_rng(4).standard_normal((5, 3, 64, 96)).astype(np.float32)
    alone, beside = (
        factory.open_engine(
            registry.get(SMALL), small_file, device="cpu", engine="openvino", threads=threads, precision="float32"
        )
        for threads in (1, 3)
    )
    assert (alone.batch, beside.batch) == (1, 3)
    exact = np.concatenate([alone(inputs[n : n + 1]) for n in range(5)])
    assert np.abs(beside(inputs) - exact).max() < 1e-4 * exact.std()
    assert np.abs(exact[0] - exact[1]).max() > 0.1 * exact.std()
