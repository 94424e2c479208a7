"""The presets of the command line as the page needs them: which output, which settings."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from depth3d.pipeline.presets import PRESETS, Recipe
from depth3d.stereoformats import find_format

__all__ = ["destinations"]


def destinations() -> list[dict[str, Any]]:
    """Return all presets: name, description, and for "photo" and "clip" the output with its options, or None."""
    return [
        {
            "name": preset.name,
            "about": f"{preset.about} {preset.limits}".strip(),
            **{media: _chosen(preset.recipes().get(media)) for media in ("photo", "clip")},
        }
        for preset in PRESETS.values()
    ]


def _chosen(recipe: Recipe | None) -> dict[str, Any] | None:
    if recipe is None:
        return None
    options = dict(recipe.options)
    if recipe.command == "stereo":
        output = "stereo:" + find_format(options.pop("format", "sbs")).name
    elif recipe.command == "animate":
        output = "animate:" + (PurePath(recipe.ending).suffix or ".mp4")
    elif recipe.command == "depth":
        output = "depth:" + ("facebook" if options.pop("facebook", False) else options.pop("embed", None) or ".png")
    else:
        output = "view:.html"
    return {"output": output, "options": options}
