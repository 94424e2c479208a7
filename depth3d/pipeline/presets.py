"""Presets: where a result goes, as data. Each names a command and the options that this destination needs.

A preset changes options only; what the user sets himself always counts more. Sizes and limits are those that the
destinations publish (2026); ``limits`` tells what the user has to keep to.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from depth3d.errors import InvalidOption, ReadError, in_words
from depth3d.options import ALL_OPTIONS
from depth3d.validation import field_names, nearest

__all__ = [
    "CONFIG_NAME",
    "PRESETS",
    "Config",
    "Preset",
    "Recipe",
    "config_path",
    "find_preset",
    "option_words",
    "read_config",
]

CONFIG_NAME = "config.toml"
COMMANDS = ("animate", "stereo", "depth", "view")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one kind of input becomes.

    Parameters
    ----------
    command : str
        "animate", "stereo", "depth" or "view".
    options : Mapping[str, Any]
        Field of the command's options -> value.
    ending : str
        End of the default output name after the input's name, for example "_wallpaper.mp4"; "" = the command's own.
    """

    command: str
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    ending: str = ""


@dataclass(frozen=True, slots=True)
class Preset:
    """A destination.

    Parameters
    ----------
    name : str
        Name for ``--preset``.
    about : str
        What the user gets, in one sentence.
    photo, clip : Recipe | None
        What is done with a photo and with a clip; None = this destination takes none.
    limits : str
        What the destination accepts, for the user to know.
    """

    name: str
    about: str
    photo: Recipe | None = None
    clip: Recipe | None = None
    limits: str = ""

    def recipes(self) -> dict[str, Recipe]:
        """Return media ("photo", "clip") -> recipe, without those that are None."""
        pairs = {"photo": self.photo, "clip": self.clip}
        return {media: recipe for media, recipe in pairs.items() if recipe is not None}


def _loop(ending: str, **options: Any) -> Recipe:
    return Recipe("animate", options, ending)


def _stereo(**options: Any) -> Recipe:
    return Recipe("stereo", options)


_ALL = (
    Preset(
        "instagram-reel",
        "Upright loop for Instagram, TikTok and YouTube Shorts.",
        _loop("_reel.mp4", size="1080x1920", seconds=6.0, path="circle"),
        limits="1080x1920, 3 to 90 seconds; the photo is cropped to 9:16",
    ),
    Preset(
        "facebook",
        "The pair NAME.jpg and NAME_depth.jpg that Facebook shows as a 3D photo.",
        Recipe("depth", {"facebook": True}),
        limits="select both files in one post, on a computer",
    ),
    Preset(
        "quest",
        "Full side by side for Meta Quest: gallery, Skybox, DeoVR.",
        _stereo(format="sbs", parallax=2.5, convergence="auto"),
        _stereo(format="sbs", convergence="auto", codec="libx265"),
        limits="clips at most 5760 pixels wide; keep the name, players read it",
    ),
    Preset(
        "vision-pro",
        "Spatial photo (HEIC) for Apple Vision Pro; clips as full side by side.",
        _stereo(format="heic", parallax=2.5, convergence="auto"),
        _stereo(format="sbs", convergence="auto", codec="libx265"),
        limits="a clip becomes spatial (MV-HEVC) with Apple's own tools only",
    ),
    Preset(
        "3d-tv",
        "Half side by side, as 3D televisions read it, with black bars around other shapes than 16:9.",
        _stereo(format="sbs-half", convergence="auto", floating_window=True, canvas="16:9"),
        _stereo(format="sbs-half", convergence="auto", floating_window=True, canvas="1920x1080"),
        limits="switch the television to side by side if it does not switch itself",
    ),
    Preset(
        "red-cyan-print",
        "Anaglyph for red-cyan glasses on paper: half colors, which ghost least in print.",
        _stereo(format="red-cyan-half", parallax=1.5, convergence="auto", quality="high"),
        limits="print glossy at 150 dots per inch or more",
    ),
    Preset(
        "looking-glass",
        "Quilt of 48 views for the Looking Glass Portrait; clips as color and depth.",
        _stereo(format="quilt-portrait"),
        _stereo(format="rgbd"),
        limits="for Go, 16 and 32 inch: --format quilt-go, quilt-16, quilt-32",
    ),
    Preset(
        "web",
        "One self-contained page that moves with mouse, phone and headset.",
        Recipe("view"),
        limits="put the .html file on any web server, or mail it",
    ),
    Preset(
        "wallpaper",
        "Slow, calm loop in 4K for live wallpapers.",
        _loop("_wallpaper.mp4", size="3840x2160", seconds=12.0, amount=1.2, path="circle", quality="high"),
        limits="3840x2160; the photo is cropped to 16:9",
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in _ALL})
"""Name -> built-in preset."""


@dataclass(frozen=True, slots=True)
class Config:
    """The user's own settings.

    Parameters
    ----------
    path : Path
        The file, which need not exist.
    defaults : Mapping[str, Any]
        Option -> default on the command line.
    presets : Mapping[str, Preset]
        Own presets; they replace built-in ones of the same name.
    """

    path: Path
    defaults: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    presets: Mapping[str, Preset] = field(default_factory=lambda: MappingProxyType({}))

    def all_presets(self) -> dict[str, Preset]:
        """Return built-in and own presets by name."""
        return {**PRESETS, **self.presets}


def config_path() -> Path:
    """Return the path of the user's file of settings: in DEPTH3D_CONFIG, else in the folder of the system for them."""
    import platformdirs

    own = os.environ.get("DEPTH3D_CONFIG")
    return Path(own) if own else Path(platformdirs.user_config_dir("depth3d", appauthor=False)) / CONFIG_NAME


def read_config(path: Path | None = None) -> Config:
    """Read the user's settings; a file that does not exist gives no settings.

    Raises ``ReadError`` for a file that is not TOML, or has a key or an option that does not exist.
    """
    import tomllib

    path = path or config_path()
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Config(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(path, f"the settings cannot be read: {in_words(error)}") from error
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReadError(path, f"not a TOML file: {error}") from error
    for key, value in found.items():
        if key not in ("defaults", "presets") or not isinstance(value, dict):
            raise ReadError(path, f"unknown entry {key!r}, expected the tables [defaults] and [presets.NAME]")
    defaults = found.get("defaults", {})
    _check_options(path, "[defaults]", defaults)
    presets = {name: _own_preset(path, name, table) for name, table in found.get("presets", {}).items()}
    return Config(path, MappingProxyType(defaults), MappingProxyType(presets))


def find_preset(name: str, presets: Mapping[str, Preset] | None = None) -> Preset:
    """Return the preset called ``name``.

    Raises ``InvalidOption`` with the nearest names for an unknown one.
    """
    known = PRESETS if presets is None else presets
    if name not in known:
        raise InvalidOption("preset", f"{name!r} is unknown{nearest(name, list(known))}")
    return known[name]


def option_words(options: Mapping[str, Any]) -> list[str]:
    """Return options as command line words: ``{"own_eyes": False, "amount": 2.0}`` is --no-own-eyes --amount 2."""
    words: list[str] = []
    for name, value in options.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", f"{value:g}" if isinstance(value, float) else str(value)]
    return words


def _own_preset(path: Path, name: str, table: Any) -> Preset:
    where = f"[presets.{name}]"
    if not isinstance(table, dict) or not table:
        raise ReadError(path, f"{where} is empty, expected tables `photo` or `clip`")
    recipes: dict[str, Recipe] = {}
    for key, value in table.items():
        if key in ("about", "limits") and isinstance(value, str):
            continue
        if key not in ("photo", "clip") or not isinstance(value, dict):
            raise ReadError(path, f"{where}: unknown entry {key!r}, expected about, limits, photo or clip")
        options = dict(value)
        command, ending = options.pop("command", None), options.pop("ending", "")
        if command not in COMMANDS or not isinstance(ending, str):
            raise ReadError(path, f"{where} {key}: `command` is {command!r}, expected one of {', '.join(COMMANDS)}")
        _check_options(path, f"{where} {key}", options)
        recipes[key] = Recipe(command, options, ending)
    return Preset(name, table.get("about", "own preset"), limits=table.get("limits", ""), **recipes)


def _check_options(path: Path, where: str, options: Mapping[str, Any]) -> None:
    known = field_names(*ALL_OPTIONS)
    for name, value in options.items():
        if name not in known:
            raise ReadError(path, f"{where}: unknown option {name!r}{nearest(name, known)}")
        if isinstance(value, dict | list):
            raise ReadError(path, f"{where}: {name} is a table or list, expected one value")
