"""Every preset of the command line is one the page can write."""

from __future__ import annotations

import json

import pytest

from depth3d.pipeline.presets import PRESETS
from depth3d.studio.destinations import destinations
from depth3d.studio.products import Output, option_values

CHOICES = [(one["name"], media, one[media]) for one in destinations() for media in ("photo", "clip") if one[media]]


def test_all_presets_are_there() -> None:
    assert [one["name"] for one in destinations()] == list(PRESETS)
    json.dumps(destinations())


@pytest.mark.parametrize(("name", "media", "chosen"), CHOICES, ids=lambda part: part if isinstance(part, str) else "")
def test_its_output_and_options_are_known(name: str, media: str, chosen: dict[str, object]) -> None:
    output = Output.of(chosen["output"])
    recipe = PRESETS[name].recipes()[media]
    assert output.kind == recipe.command
    options = chosen["options"]
    assert isinstance(options, dict)
    assert option_values(output.kind, options, media).keys() <= options.keys()
