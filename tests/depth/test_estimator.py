"""Pictures in, depth out: exact end to end, in order, from any weights; errors say what is wrong."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from depth import golden

import depth3d as d3
from depth3d.depth import checkpoint, estimator, refine, registry, selection, weights
from depth3d.depth.card import AreaRule, InputRule, ModelCard
from depth3d.depth.estimator import Estimator
from depth3d.image import Image, Size


@pytest.fixture(scope="module")
def small_file(golden_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as the official one, with weights by recipe."""
    path = tmp_path_factory.mktemp("official") / "midas_v21_small_256.pt"
    torch.save(golden.official_state(golden_folder, "midas_v21_small_256"), path)
    return path


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    before = dict(registry._registered)
    selection._said.clear()
    yield
    estimator._kept.cache_clear()
    registry._registered.clear()
    registry._registered.update(before)


class Mean(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=1)


def brightness(**changes: object) -> ModelCard:
    plain = {"build": lambda card: Mean(), "weights": None, "input": InputRule(64), "bfloat16": False}
    return ModelCard("brightness", **(plain | changes))  # type: ignore[arg-type]


def noise(width: int, height: int, seed: int = 0) -> Image:
    return Image(np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8))


def test_end_to_end_is_the_official_result(small_file: Path, golden_folder: Path) -> None:
    stored = np.load(golden_folder / "end_to_end.npz")
    names = [name for name in stored.files if name.startswith("midas_v21_small_256") and name.endswith("_out")]
    assert len(names) == 2
    for name in names:
        height, width = (int(side) for side in name.split("_")[-2].split("x"))
        image = Image(golden.recipe(golden_folder).image(height, width))
        (said,) = d3.predict_disparity([image], small_file, precision="float32")
        enlarged = refine.bicubic(said.values, image.size)
        stride = int(stored[name.removesuffix("out") + "stride"])
        error = np.abs(enlarged[::stride, ::stride] - np.maximum(stored[name], 0)).max()
        assert error <= 1e-3 * stored[name].std()


def test_depth_has_the_size_of_the_photo(small_file: Path) -> None:
    depth = d3.estimate_depth(noise(301, 203), small_file)
    assert depth.size == Size(301, 203)
    assert depth.values.min() == 0
    assert depth.values.max() == 1


def test_results_come_in_order_at_their_own_sizes() -> None:
    d3.register(brightness())
    images = [noise(64, 64, 1), noise(128, 64, 2), noise(128, 64, 3), noise(64, 64, 4)]
    together = d3.predict_disparity(images, "brightness")
    for image, said in zip(images, together, strict=True):
        (alone,) = d3.predict_disparity([image], "brightness")
        assert said.size == alone.size
        assert np.array_equal(said.values, alone.values)
    assert d3.predict_disparity([], "brightness") == []


def test_photos_are_predicted_from_a_larger_input_too_where_they_are_large() -> None:
    seen: list[tuple[int, ...]] = []

    class Watched:
        batch = 1

        def __call__(self, inputs: np.ndarray) -> np.ndarray:
            seen.append(inputs.shape[2:])
            return inputs[:, 0]

    rule = AreaRule(64, other=64)
    for detail, size, expected in (
        (1.75, Size(160, 120), [(64, 64), (112, 112)]),
        (1.0, Size(160, 120), [(64, 64)]),
        (1.75, Size(70, 70), [(64, 64)]),  # shows nothing that the input does not
    ):
        seen.clear()
        estimator = Estimator(brightness(input=replace(rule, multiple=16, keep_aspect=False), detail=detail), Watched())
        found = estimator.predict_photo(noise(*size))
        assert seen == expected
        assert found.values.shape == expected[-1]
    assert registry.get("tiny").detail == 1.75


def test_networks_with_one_engine_are_loaded_once_for_one_picture_and_for_many() -> None:
    assert estimator.open_estimator("gradient", many=True) is estimator.open_estimator("gradient")


def test_what_a_network_says_becomes_inverse_depth() -> None:
    image = noise(64, 64)
    d3.register(brightness(input=InputRule(64, normalization=registry.get("mannequin_challenge").input.normalization)))
    (said,) = d3.predict_disparity([image], "brightness")
    for output, expected in (("log_depth", np.exp(-said.values)), ("depth", 1 / said.values)):
        card = brightness(input=registry.get("brightness").input, output=output)
        d3.register(card, replace=True)
        (found,) = d3.predict_disparity([image], "brightness")
        assert np.allclose(found.values, expected, rtol=1e-4)


def test_a_network_that_says_nonsense_is_named() -> None:
    d3.register(brightness(build=lambda card: torch.nn.Identity()))
    with pytest.raises(d3.ModelError, match=r"brightness.*\(1, 3, 64, 64\).*expected \(1, H, W\)"):
        d3.predict_disparity([noise(64, 64)], "brightness")


def test_wrong_calls_are_told() -> None:
    with pytest.raises(d3.InvalidInput, match="expected several"):
        d3.predict_disparity(noise(4, 4))  # type: ignore[arg-type]
    with pytest.raises(d3.InvalidInput, match="expected an Image"):
        d3.predict_disparity([object()])  # type: ignore[list-item]
    with pytest.raises(d3.InvalidInput, match="'abacus', expected one of auto, torch, onnxruntime, opencv, openvino"):
        d3.predict_disparity([noise(4, 4)], "gradient", engine="abacus")
    with pytest.raises(d3.ModelError, match="unknown device 'toaster'"):
        d3.predict_disparity([noise(4, 4)], "gradient", device="toaster")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_told() -> None:
    with pytest.raises(d3.ModelError, match="'cuda' is not available"):
        d3.predict_disparity([noise(4, 4)], "gradient", device="cuda")


def test_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    d3.predict_disparity([noise(64, 64)], "gradient", threads=before + 1)
    assert torch.get_num_threads() == before


def accept(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Files of this content count as the published ones."""
    real = weights.fault_of
    monkeypatch.setattr(
        weights, "fault_of", lambda path, *rest: None if path.read_bytes() == content else real(path, *rest)
    )


def test_auto_takes_the_best_that_is_here(small_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accept(monkeypatch, b"anything")
    folder = weights.cache_folder()
    official = weights.cache_folder() / "dpt_levit_224.pt"
    folder.mkdir(exist_ok=True)
    official.write_bytes(b"anything")
    assert selection.select("auto").card.name == "dpt_levit_224"
    (folder / "dpt_beit_base_384.pt").write_bytes(b"anything")
    assert selection.select("auto").card.name == "dpt_beit_base_384"


def test_auto_survives_a_damaged_file(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    accept(monkeypatch, b"anything")
    folder = weights.cache_folder()
    (folder / "midas_v21_384.pt").write_bytes(b"torn")
    (folder / "dpt_levit_224.pt").write_bytes(b"anything")
    with caplog.at_level(logging.WARNING):
        assert selection.select("auto").card.name == "dpt_levit_224"
    assert "midas_v21_384.pt was damaged" in caplog.text


def test_auto_without_anything_still_gives_depth() -> None:
    card = selection.select("auto").card
    assert card.name in (selection.SHIPPED, selection.PLACEHOLDER)
    assert d3.estimate_depth(noise(60, 40)).size == Size(60, 40)


def test_the_stand_in_says_once_that_it_guesses(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(selection, "SHIPPED", "none")
    with caplog.at_level(logging.WARNING):
        depth = d3.estimate_depth(noise(60, 40))
        d3.estimate_depth(noise(60, 40))
    assert caplog.text.count("only a guess") == 1
    assert depth.values[-8:].mean() > depth.values[:8].mean() + 0.5


class TestCheckpoints:
    """Files are recognized by their keys, and nothing is left out or made up in silence."""

    def test_every_official_file_is_recognized(self, golden_folder: Path) -> None:
        made = golden.recipe(golden_folder)
        for name in golden.facts(golden_folder):
            state = {key: torch.empty(entry["shape"], device="meta") for key, entry in made.load_keys(name).items()}
            assert checkpoint.recognize(state, registry.cards(), Path("x.pt")).name == name

    def test_a_training_checkpoint_works_too(self, small_file: Path, tmp_path: Path) -> None:
        state = {f"module.{key}": value for key, value in checkpoint.read(small_file).items()}
        torch.save({"optimizer": {"step": torch.zeros(1)}, "model": state}, tmp_path / "trained.pt")
        assert selection.select(tmp_path / "trained.pt").card.name == "midas_v21_small_256"

    def test_what_is_missing_or_unknown_is_named(self, small_file: Path) -> None:
        state = checkpoint.read(small_file)
        state["scratch.surprise.weight"] = state.pop("scratch.layer1_rn.weight")
        state["scratch.output_conv.4.bias"] = torch.zeros(3)
        card = registry.get("small")
        with pytest.raises(d3.ModelError) as caught:
            checkpoint.load(checkpoint.build(card), state, "my file")
        assert "my file" in str(caught.value)
        assert "missing: decoder.reduce.0.weight" in str(caught.value)
        assert "unexpected: scratch.surprise.weight" in str(caught.value)
        assert "decoder.head.conv3.bias is (3,) instead of (1,)" in str(caught.value)

    def test_files_that_are_no_checkpoint(self, tmp_path: Path) -> None:
        with pytest.raises(d3.WeightsError, match="no such file"):
            d3.predict_disparity([noise(4, 4)], tmp_path / "none.pt")
        (tmp_path / "text.pt").write_text("hello")
        with pytest.raises(d3.WeightsError, match="not a readable checkpoint"):
            d3.predict_disparity([noise(4, 4)], str(tmp_path / "text.pt"))
        torch.save({"a": torch.zeros(2)}, tmp_path / "other.pt")
        with pytest.raises(d3.ModelError, match="not a checkpoint of a supported network"):
            d3.predict_disparity([noise(4, 4)], tmp_path / "other.pt")

    @pytest.mark.security
    def test_a_file_can_run_no_code(self, tmp_path: Path) -> None:
        torch.save({"a": Trap(tmp_path / "sprung")}, tmp_path / "trap.pt")
        with pytest.raises(d3.WeightsError, match="not a readable checkpoint"):
            d3.predict_disparity([noise(4, 4)], tmp_path / "trap.pt")
        assert not (tmp_path / "sprung").exists()


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)
