"""Presets are valid option sets of commands that exist; settings are read from a TOML file or refused in one line."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from depth3d.errors import InvalidOption, ReadError
from depth3d.pipeline.presets import PRESETS, Preset, find_preset, read_config
from depth3d.validation import field_names

NAMES = (
    *("instagram-reel", "facebook", "quest", "vision-pro", "3d-tv", "red-cyan-print", "looking-glass", "web"),
    "wallpaper",
)


def test_every_destination_is_there() -> None:
    assert tuple(PRESETS) == NAMES


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_a_preset_sets_valid_options_of_its_command(preset: Preset) -> None:
    assert preset.recipes()
    for media, recipe in preset.recipes().items():
        kinds = import_module(f"depth3d.cli.{recipe.command}").KINDS[media]
        assert set(recipe.options) <= set(field_names(*kinds))
        for kind in kinds:
            kind(**{name: value for name, value in recipe.options.items() if name in field_names(kind)})


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(InvalidOption, match="did you mean 'wallpaper'"):
        find_preset("walpaper")


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_and_own_presets_are_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '[defaults]\nparallax = 1.5\n[presets.den]\nabout = "the den"\n'
        'photo = { command = "stereo", format = "sbs-half", ending = "_den.jpg" }\n',
    )
    config = read_config(path)
    assert config.defaults == {"parallax": 1.5}
    recipe = config.all_presets()["den"].photo
    assert recipe is not None
    assert (recipe.command, recipe.ending, recipe.options) == ("stereo", "_den.jpg", {"format": "sbs-half"})
    assert list(config.all_presets())[: len(NAMES)] == list(NAMES)
    assert read_config(tmp_path / "none.toml").defaults == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[defaults", "not a TOML file"),
        ("[default]\na = 1", "unknown entry 'default'"),
        ("[defaults]\nparalax = 1", "unknown option 'paralax'; did you mean 'parallax'"),
        ("[defaults]\nparallax = [1]", "parallax is a table or list"),
        ("presets = 3", "unknown entry 'presets'"),
        ("[presets.x]", "is empty"),
        ("[presets.x]\nvideo = {}", "unknown entry 'video'"),
        ('[presets.x]\nphoto = { command = "rm" }', "`command` is 'rm', expected one of animate"),
        ('[presets.x]\nphoto = { command = "view", size2 = 1 }', "unknown option 'size2'"),
    ],
)
def test_wrong_settings_are_one_clear_line(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"config\.toml: ") as caught:
        read_config(write(tmp_path, text))
    assert told in str(caught.value)
