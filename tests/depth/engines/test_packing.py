"""Packed and Winograd convolutions say what torch's own say; packed networks keep no plain convolution."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from depth3d.depth import checkpoint, registry, weights
from depth3d.depth.engines import precision
from depth3d.depth.engines import torch as torch_engine
from depth3d.depth.engines.cpu.packed import PackedConvolution, can_pack
from depth3d.depth.engines.cpu.packing import PackedResidualUnit, pack, packed_convolution
from depth3d.depth.engines.cpu.winograd import WinogradConvolution
from depth3d.depth.engines.fold import fold_batch_norms
from depth3d.depth.engines.torch import TorchEngine

pytestmark = pytest.mark.skipif(not can_pack(), reason="this processor or build of torch has no oneDNN operators")


def picture(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def error(found: Tensor, exact: Tensor) -> float:
    assert found.shape == exact.shape
    return float((found.double() - exact).abs().max() / exact.std())


def same_padded(x: Tensor, kernel: int, stride: int) -> Tensor:
    missing = [max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in (x.shape[3], x.shape[2])]
    return functional.pad(x, [part for total in missing for part in (total // 2, total - total // 2)])


@given(
    height=st.integers(7, 40),
    width=st.integers(7, 40),
    kernel=st.sampled_from([1, 3, 5]),
    stride=st.sampled_from([1, 2]),
    grouped=st.booleans(),
    activation=st.sampled_from(["none", "relu", "relu6"]),
    same=st.booleans(),
    bias=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_packed_is_the_convolution(
    height: int, width: int, kernel: int, stride: int, grouped: bool, activation: str, same: bool, bias: bool
) -> None:
    torch.manual_seed(height * width)
    groups = 16 if grouped else 1
    plain = nn.Conv2d(16, 32, kernel, stride, 0 if same else kernel // 2, groups=groups, bias=bias)
    x = 4 * picture(1, 16, height, width)
    with torch.inference_mode():
        packed = PackedConvolution.of(plain, activation, same=same)
        padded = same_padded(x, kernel, stride) if same else x
        exact = plain.double()(padded.double())
        exact = {"none": exact, "relu": exact.relu(), "relu6": exact.clamp(0, 6)}[activation]
        assert error(packed(x), exact) < 1e-5
        assert torch.equal(packed.weight, plain.weight.float())


def test_another_size_packs_anew_from_the_same_weights() -> None:
    plain = nn.Conv2d(24, 40, 3, 2)
    with torch.inference_mode():
        packed = PackedConvolution.of(plain, same=True)
        for side in (32, 33, 48, 32):
            x = picture(1, 24, side, side + 1)
            assert (
                error(packed(x), functional.conv2d(same_padded(x, 3, 2), plain.weight, plain.bias, 2).double()) < 1e-5
            )
        assert torch.equal(packed.weight, plain.weight)


@pytest.mark.parametrize("size", [(16, 16), (32, 20), (17, 31), (45, 18)])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_winograd_is_the_convolution(size: tuple[int, int], relu: bool, bias: bool) -> None:
    torch.manual_seed(3)
    plain = nn.Conv2d(128, 160, 3, padding=1, bias=bias)
    x = picture(2, 128, *size)
    with torch.inference_mode():
        quick = packed_convolution(plain, "relu" if relu else "none")
        assert isinstance(quick, WinogradConvolution)
        exact = functional.conv2d(x.double(), plain.weight.double(), plain.bias.double() if bias else None, padding=1)
        found = quick(x)
        assert error(found, exact.relu() if relu else exact) < 3e-5
        assert (found - (exact.relu() if relu else exact)).pow(2).mean().sqrt() < 2e-6 * exact.std()
        assert quick._products is not None
        if not relu:
            added = picture(2, 160, *size, seed=1)
            assert error(quick(x, added), exact + added.double()) < 3e-5


def test_winograd_is_left_where_it_does_not_pay_or_apply() -> None:
    assert isinstance(packed_convolution(nn.Conv2d(64, 128, 3, padding=1)), PackedConvolution)
    for wrong in (
        nn.Conv2d(128, 128, 3, 2, padding=1),
        nn.Conv2d(128, 128, 3, padding=0),
        nn.Conv2d(128, 128, 1),
        nn.Conv2d(128, 128, 3, padding=1, groups=2),
        nn.Conv2d(128, 128, 3, padding=2, dilation=2),
    ):
        assert isinstance(packed_convolution(wrong), PackedConvolution)
    plain = nn.Conv2d(128, 128, 3, padding=1)
    quick = packed_convolution(plain)
    assert isinstance(quick, WinogradConvolution)
    x = picture(1, 128, 12, 13)  # 3 x 4 tiles
    with torch.inference_mode():
        assert error(quick(x), plain(x).double()) < 1e-5
    assert quick._products is None


@pytest.mark.parametrize("relu_skip", [False, True])
@pytest.mark.parametrize("width", [48, 128])
def test_residual_unit(relu_skip: bool, width: int) -> None:
    first, second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
    x = picture(1, width, 24, 24)
    with torch.inference_mode():
        unit = PackedResidualUnit(first, second, relu_skip=relu_skip)
        exact = second(functional.relu(first(functional.relu(x)))) + (functional.relu(x) if relu_skip else x)
        assert error(unit(x), exact.double()) < 1e-5


def test_an_activation_and_a_sum_at_once_are_refused() -> None:
    packed = PackedConvolution.of(nn.Conv2d(8, 8, 1), "relu")
    with pytest.raises(ValueError, match="activation"):
        packed(picture(1, 8, 4, 4), picture(1, 8, 4, 4))


def test_a_relu_right_behind_its_convolution_is_taken_in() -> None:
    chain = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 1), nn.Identity(), nn.ReLU())
    x = picture(1, 8, 9, 9)
    with torch.inference_mode():
        exact = chain(x)
        pack(chain)
        kinds = [type(part) for part in chain]
        assert kinds == [PackedConvolution, nn.Identity, PackedConvolution, nn.Identity, nn.ReLU]
        assert error(chain(x), exact.double()) < 1e-5


@pytest.mark.parametrize("name", ["tiny", "midas_v21_small_256", "dpt_swin2_tiny_256"])
def test_packed_networks_say_the_same(name: str) -> None:
    card = registry.get(name)
    network = checkpoint.build(card, fill=True)
    x = picture(1, 3, 256, 256)
    with torch.inference_mode():
        exact = network(x)
        if getattr(network, "foldable", False):
            fold_batch_norms(network)
        for part in network.packable:
            pack(network.get_submodule(part))
            left = [type(module) for module in network.get_submodule(part).modules() if isinstance(module, nn.Conv2d)]
            assert left == []
        assert error(network(x), exact.double()) < 2e-4


def test_a_relu_that_does_not_follow_stays() -> None:
    """Residual blocks of timm define the last activation behind the last convolution, but add the skip in between."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(8, 8, 3, padding=1)
            self.norm = nn.BatchNorm2d(8)
            self.activation = nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = self.activation(self.norm(self.convolution(x)) + x)
            return found

    block, x = Block().eval(), picture(1, 8, 9, 9)
    with torch.inference_mode():
        exact = block(x)
        fold_batch_norms(block)
        pack(block)
        assert isinstance(block.convolution, PackedConvolution)
        assert isinstance(block.activation, nn.ReLU)
        assert error(block(x), exact.double()) < 1e-5


def test_bfloat16_that_fails_its_probe_leaves_a_packed_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_engine, "has_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "LIMIT", 0.0)
    card, x = registry.get("midas_v21_small_256"), picture(1, 3, 64, 96).numpy()
    torch.manual_seed(0)
    monkeypatch.setattr(checkpoint, "load_network", lambda card, path: checkpoint.build(card, fill=True))
    engine = TorchEngine(card, None, device="cpu", threads=1, precision="auto")
    assert not any(isinstance(module, PackedConvolution) for module in engine.network.modules())
    first = torch.from_numpy(engine(x))
    assert not any(isinstance(module, nn.Conv2d) for module in engine.network.modules())
    assert error(torch.from_numpy(engine(x)), first.double()) < 1e-4


@pytest.mark.parametrize("trouble", [RuntimeError("no such operator"), AttributeError("_reorder_convolution_weight")])
def test_a_build_without_the_operators_is_found_out(trouble: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Tensor:
        raise trouble

    monkeypatch.setattr(PackedConvolution, "forward", fail)
    assert can_pack.__wrapped__() is False
    monkeypatch.setattr(PackedConvolution, "forward", lambda *_: torch.zeros(1, 8, 4, 4))  # runs, but is wrong
    assert can_pack.__wrapped__() is False
    monkeypatch.undo()
    assert can_pack.__wrapped__() is True


def test_engines_run_without_the_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    card, x = registry.get("tiny"), picture(1, 3, 96, 128).numpy()
    found = {}
    for there in (True, False):
        monkeypatch.setattr(torch_engine, "can_pack", lambda there=there: there)
        engine = TorchEngine(card, weights.locate(card), device="cpu", threads=1, precision="float32")
        assert any(isinstance(module, PackedConvolution) for module in engine.network.modules()) is there
        found[there] = torch.from_numpy(engine(x))
    assert error(found[True], found[False].double()) < 1e-4
