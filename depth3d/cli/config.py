"""The command ``depth3d config``: shows or creates the user's file of settings."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command", "default_map"]

TEMPLATE = """# Settings of depth3d.
# Every option of `depth3d COMMAND --help` may have another default here; dashes become _.

[defaults]
# parallax = 1.5
# model = "depth-anything-v2-small"

# Own destinations for `depth3d FILE --preset NAME`; `command` is animate, stereo, depth or view.
# [presets.my-tv]
# about = "the television in the living room"
# photo = { command = "stereo", format = "sbs-half", screen = "65in", distance = "3m", arc_minutes = 60 }
# clip = { command = "stereo", format = "sbs-half", size = "1920x1080" }
"""


@click.command("config")
@click.option("--create", is_flag=True, help="Write a file with comments to begin from.")
def command(create: bool) -> None:
    """Show where the settings are and what they set; --create writes a file to begin from.

    \b
    An option on the command line counts more than the environment variable DEPTH3D_COMMAND_OPTION
    (DEPTH3D_STEREO_PARALLAX=1.5), which counts more than a preset, which counts more than [defaults].
    """
    from depth3d.io.atomic import atomic_path, make_folder, refuse_existing
    from depth3d.pipeline.presets import config_path, read_config

    path = config_path()
    if create:
        make_folder(path.parent)
        refuse_existing(path, force=False)
        with atomic_path(path) as partial:
            Path(partial).write_text(TEMPLATE, encoding="utf-8")
        click.echo(path)
        return
    config = read_config(path)
    click.echo(f"{path}{'' if path.exists() else ' (does not exist; --create writes one)'}")
    for name, value in config.defaults.items():
        click.echo(f"{name} = {value}")
    for preset in config.presets.values():
        click.echo(f"preset {preset.name}: {preset.about}")


def default_map(commands: list[str]) -> dict[str, dict[str, object]]:
    """Return the defaults of the user's settings for every command, as click wants them; empty without a file.

    Raises ``ReadError`` for a file that cannot be read.
    """
    from depth3d.pipeline.presets import read_config

    defaults = dict(read_config().defaults)
    return dict.fromkeys(commands, defaults) if defaults else {}
