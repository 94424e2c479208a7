"""Networks by name: shipped, registered, from other packages; close matches for what is unknown."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from depth import golden

import depth3d
from depth3d.depth import registry
from depth3d.depth.card import InputRule, ModelCard
from depth3d.errors import InvalidInput, ModelError

MINE = ModelCard("mine", build="nowhere:build", weights=None, input=InputRule(64), aliases=("my_own",))


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    before = dict(registry._registered)
    registry._from_entry_points.cache_clear()
    yield
    registry._registered.clear()
    registry._registered.update(before)
    registry._from_entry_points.cache_clear()


def test_the_cards_say_what_the_releases_say(golden_folder: Path) -> None:
    known = golden.facts(golden_folder)
    assert len(known) == 13
    for name, fact in known.items():
        card = registry.get(name)
        assert card.weights is not None
        assert card.weights.url == fact["url"]
        assert card.weights.sha256 == fact["sha256"]
        assert card.weights.size == fact["bytes"]
        assert fact["hash_named_alias"] in (None, *card.weights.also)
        assert card.input.size == fact["net"]
        assert card.input.keep_aspect == fact["keep_aspect_ratio"]
        assert card.input.method == fact["resize_method"] or not card.input.keep_aspect
        assert list(card.input.normalization.mean) == fact["mean"]
        assert list(card.input.normalization.std) == fact["std"]
        assert card.parameters == fact["parameters"]
        assert "MIT" in card.license


def test_names_and_aliases_are_all_different() -> None:
    words = [word for card in registry.cards() for word in {name.lower() for name in (card.name, *card.aliases)}]
    assert len(words) == len(set(words))


def test_preferences_are_all_different() -> None:
    preferences = [card.preference for card in registry.cards() if card.preference]
    assert len(preferences) == 17
    assert len(set(preferences)) == 17
    assert not [card.name for card in registry.cards() if card.preference and "not for commercial" in card.license]
    assert max(registry.cards(), key=lambda card: card.preference).accuracy == "best"


@pytest.mark.parametrize("name", ["dpt_large_384", "DPT_Large", "dpt_LARGE_384"])
def test_names_in_any_case_and_hub_names(name: str) -> None:
    assert registry.get(name).name == "dpt_large_384"


@pytest.mark.parametrize(
    ("typed", "meant"), [("midas_small", None), ("dpt_larg", "dpt_large_384"), ("beit_large_512", "dpt_beit_large_512")]
)
def test_unknown_names_get_close_matches(typed: str, meant: str | None) -> None:
    if meant is None:
        assert registry.get(typed).name == "midas_v21_small_256"
        return
    with pytest.raises(ModelError, match=f"did you mean .*{meant}"):
        registry.get(typed)


def test_register() -> None:
    depth3d.register(MINE)
    assert registry.get("my_own") is MINE
    assert "mine" in registry.names()
    with pytest.raises(InvalidInput, match="already"):
        depth3d.register(MINE)
    other = replace(MINE, license="free")
    depth3d.register(other, replace=True)
    assert registry.get("mine") is other
    with pytest.raises(InvalidInput, match="already"):
        depth3d.register(replace(MINE, name="dpt_large_384"))
    with pytest.raises(InvalidInput, match="expected a ModelCard"):
        depth3d.register("mine")  # type: ignore[arg-type]


class Entry:
    def __init__(self, thing: object) -> None:
        self.thing = thing
        self.value = "other.package:cards"

    def load(self) -> object:
        if isinstance(self.thing, Exception):
            raise self.thing
        return self.thing


@pytest.mark.parametrize("thing", [MINE, [MINE], lambda: MINE, lambda: (MINE,)])
def test_other_packages_join_by_entry_points(thing: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: [Entry(thing)] if group == "depth3d.models" else [])
    assert registry.get("mine") is MINE


@pytest.mark.parametrize("thing", [ImportError("no such thing"), 5, ["card"]])
def test_a_broken_package_harms_no_other(
    thing: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: [Entry(thing)])
    with caplog.at_level(logging.WARNING):
        assert "dpt_large_384" in registry.names()
    assert "other.package:cards" in caplog.text
