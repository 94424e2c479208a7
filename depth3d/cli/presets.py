"""The command ``depth3d presets``: lists the destinations for ``--preset``."""

from __future__ import annotations

import json

import click

__all__ = ["command"]


@click.command("presets")
@click.option("--json", "as_json", is_flag=True, help="One machine-readable line per preset.")
def command(as_json: bool) -> None:
    """List the destinations for `depth3d FILE --preset NAME`, with the options that each sets."""
    from depth3d.pipeline.presets import option_words, read_config

    for preset in read_config().all_presets().values():
        recipes = preset.recipes()
        if as_json:
            lines = {media: {"command": one.command, **one.options} for media, one in recipes.items()}
            click.echo(json.dumps({"name": preset.name, "about": preset.about, "limits": preset.limits, **lines}))
            continue
        click.echo(f"{preset.name:16} {preset.about}")
        for media, recipe in recipes.items():
            click.echo(f"{'':16}   {media}: {' '.join(['depth3d', recipe.command, *option_words(recipe.options)])}")
        if preset.limits:
            click.echo(f"{'':16}   {preset.limits}")
