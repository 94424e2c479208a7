"""The command ``depth3d presets``: lists the destinations for ``--preset``."""

from __future__ import annotations

import json

import click

from depth3d.cli.options import flag_of

__all__ = ["command"]


@click.command("presets")
@click.option("--json", "as_json", is_flag=True, help="One machine-readable line per preset.")
def command(as_json: bool) -> None:
    """List the destinations for `depth3d FILE --preset NAME`, with the options that each sets."""
    from depth3d.pipeline.presets import read_config

    for preset in read_config().all_presets().values():
        recipes = preset.recipes()
        if as_json:
            lines = {media: {"command": one.command, **one.options} for media, one in recipes.items()}
            click.echo(json.dumps({"name": preset.name, "about": preset.about, "limits": preset.limits, **lines}))
            continue
        click.echo(f"{preset.name:16} {preset.about}")
        for media, recipe in recipes.items():
            words = " ".join(_words(name, value) for name, value in recipe.options.items())
            click.echo(f"{'':16}   {media}: depth3d {recipe.command} {words}".rstrip())
        if preset.limits:
            click.echo(f"{'':16}   {preset.limits}")


def _words(name: str, value: object) -> str:
    if isinstance(value, bool):
        return flag_of(name) if value else "--no-" + flag_of(name)[2:]
    return f"{flag_of(name)} {f'{value:g}' if isinstance(value, float) else value}"
