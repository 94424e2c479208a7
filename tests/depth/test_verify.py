"""Files without a published hash: what cannot be the network never becomes NAME.pt, and nothing runs on for ever."""

from __future__ import annotations

import hashlib
import io
import logging
import urllib.request
import warnings
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message
from pathlib import Path

import pytest
import torch
from depth.faulty_server import FaultyServer, serving
from safetensors.torch import save as to_safetensors

from depth3d.depth import checkpoint, fetch, registry, selection, verify, weights
from depth3d.depth.card import InputRule, ModelCard, WeightsFile
from depth3d.errors import WeightsError

pytestmark = pytest.mark.security

STATE = {"head.weight": torch.arange(60_000, dtype=torch.float32).reshape(300, 200), "head.bias": torch.ones(300)}
LAYOUT = (2, 4 * 60_300)


def saved(state: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


BODY = saved(STATE)


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEPTH3D_OFFLINE")
    monkeypatch.setattr(fetch, "PAUSE", 0.01)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with serving(BODY) as running:
        yield running


def card_for(url: str, name: str = "mine", preference: int = 0) -> ModelCard:
    file = WeightsFile(f"{name}.pt", url, layout=LAYOUT)
    marks = {"head.weight": (300, 200)}
    return ModelCard(name, "nowhere:build", file, InputRule(256), marks=marks, preference=preference)


def test_a_right_file_is_accepted_and_its_hash_remembered(server: FaultyServer) -> None:
    card = card_for(server.url)
    path = weights.locate(card)
    assert path.read_bytes() == BODY
    pin = weights.cache_folder() / "hashes" / "mine.pt.sha256"
    assert pin.read_text().strip() == hashlib.sha256(BODY).hexdigest()
    other = {**STATE, "head.bias": torch.zeros(300)}  # as good a network, but not the one that came first
    path.write_bytes(saved(other))
    assert weights.locate(card).read_bytes() == BODY
    assert (weights.cache_folder() / "mine.pt.damaged-1").exists()


def test_safetensors_are_recognized_while_they_are_parts(server: FaultyServer) -> None:
    server.body = to_safetensors(STATE)
    file = WeightsFile("mine.safetensors", server.url, layout=LAYOUT)
    assert weights.locate(replace(card_for(server.url), weights=file)).read_bytes() == server.body


FLIPPED = BODY[:120_000] + bytes([BODY[120_000] ^ 1]) + BODY[120_001:]
WRONG = {
    "truncated": BODY[:-900],
    "one bit": FLIPPED,
    "other tensors": saved({"other.weight": STATE["head.weight"], "head.bias": STATE["head.bias"]}),
    "other shapes": saved({"head.weight": STATE["head.weight"].T.contiguous(), "head.bias": STATE["head.bias"]}),
    "no tensors": saved(["x" * len(BODY)]),
    "noise": bytes(len(BODY)),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_not_the_network_never_becomes_its_file(kind: str, server: FaultyServer) -> None:
    server.body = WRONG[kind]
    with pytest.raises(WeightsError, match=r"gave the wrong file twice: mine\.pt was damaged") as caught:
        weights.locate(card_for(server.url))
    assert "weights_only" not in str(caught.value)
    assert not (weights.cache_folder() / "mine.pt").exists()


@pytest.mark.parametrize(
    ("body", "match"), [(b"short", "another file of 5 bytes, expected"), (BODY * 3, "bytes, expected")]
)
def test_a_wrong_length_is_refused_before_the_transfer(body: bytes, match: str, server: FaultyServer) -> None:
    server.body = body
    with pytest.raises(WeightsError, match=match):
        weights.locate(card_for(server.url))
    assert len(server.asked) == 1
    assert not list(weights.cache_folder().glob("*.p*t"))


@pytest.mark.parametrize(
    ("headers", "match"),
    [
        ({"Content-Type": "text/html; charset=utf-8"}, "sent a web page"),
        ({"Content-Encoding": "gzip"}, r"sent the file compressed \(gzip\)"),
    ],
)
def test_login_pages_and_compressed_bodies_are_refused(
    headers: dict[str, str | None], match: str, server: FaultyServer
) -> None:
    server.headers = [headers]
    with pytest.raises(WeightsError, match=match):
        weights.locate(card_for(server.url))
    assert len(server.asked) == 1


def test_an_endless_answer_is_bounded(server: FaultyServer) -> None:
    server.endless = True
    with pytest.raises(WeightsError, match="sent more than the"):
        weights.locate(card_for(server.url))
    assert not list(weights.cache_folder().glob("*.part"))


@pytest.mark.parametrize("wrong", ["bytes 0-9/10", "bytes 7-9/10", "", None])
def test_another_range_than_the_one_asked_for_is_not_appended(wrong: str | None, server: FaultyServer) -> None:
    server.cut_after = [100_000]
    server.headers = [{}, {"Content-Range": wrong}]
    assert weights.locate(card_for(server.url)).read_bytes() == BODY
    assert server.asked == [None, "bytes=100000-", None]


@pytest.mark.parametrize("to", ["http://example.org/x", "ftp://example.org/x", "file:///etc/passwd"])
def test_https_is_never_redirected_to_anything_else(to: str) -> None:
    request = urllib.request.Request("https://example.org/weights.pt")
    with pytest.raises(fetch._Refused, match="redirects from https to"):
        fetch.Redirects().redirect_request(request, None, 302, "Found", Message(), to)
    kept = fetch.Redirects().redirect_request(request, None, 302, "Found", Message(), "https://other.org/x")
    assert kept.full_url == "https://other.org/x"


def test_a_redirect_to_a_file_is_refused(server: FaultyServer) -> None:
    server.status, server.location = [302], "file:///etc/passwd"
    with pytest.raises(WeightsError, match="not allowed"):
        weights.locate(card_for(server.url))


def test_a_redirect_within_http_is_followed(server: FaultyServer) -> None:
    server.status, server.location = [302], server.url
    assert weights.locate(card_for(server.url)).read_bytes() == BODY


def test_only_web_addresses_are_opened(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(BODY)
    with pytest.raises(WeightsError, match="not an http or https address"):
        weights.locate(card_for((tmp_path / "x").as_uri()))


def test_auto_sets_a_damaged_file_aside_and_takes_the_next_network(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = card_for(server.url, "best", 9), card_for(server.url, "next", 5)
    monkeypatch.setattr(registry, "cards", lambda: (bad, good))
    (weights.cache_folder() / "best.pt").write_bytes(b"<html>login</html>")
    (weights.cache_folder() / "next.pt").write_bytes(BODY)
    with caplog.at_level(logging.WARNING):
        assert selection.select("auto").card is good
    assert "best.pt was damaged" in caplog.text
    assert (weights.cache_folder() / "best.pt.damaged-1").exists()
    assert server.asked == []  # auto does not fetch what is not its own choice


def test_every_network_of_midas_has_limits() -> None:
    for card in registry.cards():
        if card.weights is not None and card.weights.url is not None and card.weights.sha256 is None:
            least, most = verify.size_limits(card.weights)
            assert most < 1.05 * least, card.name


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch is about to drop quantized tensors, but files with them exist
    QUANTIZED = torch.quantize_per_tensor(torch.zeros(300, 200), 0.1, 0, torch.qint8)
ODD = {
    "int8": torch.zeros(300, 200, dtype=torch.int8),
    "int64": torch.zeros(300, 200, dtype=torch.int64),
    "complex64": torch.zeros(300, 200, dtype=torch.complex64),
    "bool": torch.zeros(300, 200, dtype=torch.bool),
    "sparse": torch.eye(300, 200).to_sparse(),
    "meta": torch.empty(300, 200, device="meta"),
    "quantized": QUANTIZED,
}


@pytest.mark.parametrize("kind", ODD)
def test_tensors_of_wrong_types_are_named(kind: str, tmp_path: Path) -> None:
    network = torch.nn.ModuleDict({"head": torch.nn.Linear(200, 300)})
    path = tmp_path / "x.pt"
    path.write_bytes(saved({**STATE, "head.weight": ODD[kind]}))
    with pytest.raises(WeightsError, match=rf"tensor head\.weight .*{kind}"):
        checkpoint.load(network, checkpoint.read(path), "mine")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floating_types_are_converted(dtype: torch.dtype, tmp_path: Path) -> None:
    network = torch.nn.ModuleDict({"head": torch.nn.Linear(200, 300)})
    checkpoint.load(network, {key: value.to(dtype) for key, value in STATE.items()}, "mine")
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
