"""The default command ``depth3d FILE...``: animations of photos, side-by-side 3D of clips."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depth3d.cli import animate, stereo
from depth3d.cli.batch import Job
from depth3d.cli.options import OptionsCommand, flags, given
from depth3d.cli.run import Kinds, from_settings, input_arguments, run_inputs, takes
from depth3d.options import (
    AnimateOptions,
    BatchOptions,
    ClusterOptions,
    DepthOptions,
    OutputOptions,
    StabilizeOptions,
    StereoOptions,
    VideoOptions,
)

if TYPE_CHECKING:
    from depth3d.pipeline.presets import Preset, Recipe

__all__ = ["command"]

KINDS: Kinds = {"photo": animate.KINDS["photo"], "clip": stereo.KINDS["clip"]}
_OTHERS = {"photo": stereo, "clip": animate}  # what else could be made of an input


@click.command("auto", cls=OptionsCommand)
@input_arguments("PHOTO|CLIP|FOLDER...", "File to write")
@flags(
    AnimateOptions,
    StereoOptions,
    DepthOptions,
    StabilizeOptions,
    VideoOptions,
    ClusterOptions,
    BatchOptions,
    OutputOptions,
)
def command(inputs: tuple[str, ...], output: str | None, **values: Any) -> None:
    """Convert photos to looping animations (NAME_3d.mp4) and clips to side-by-side 3D (NAME_LRF_Full_SBS.mp4).

    \b
    For photos: --path, --amount, --seconds, --focus and the other options of `depth3d animate`.
    For clips: --format, --parallax, --convergence, --preview and the other options of `depth3d stereo`.
    An option that does not apply to an input is refused.
    With --preset a destination decides instead (see `depth3d presets`): depth3d photo.jpg --preset quest
    """
    _refuse_command_names(inputs)
    preset = _destination(values)
    if preset is None:
        run_inputs(inputs, output, values, KINDS, _preparer(values), _instead)
        return
    values = {**values, "preset": None}
    recipes = preset.recipes()
    modules = {media: import_module(f"depth3d.cli.{recipe.command}") for media, recipe in recipes.items()}
    kinds = {media: module.KINDS[media] for media, module in modules.items()}
    run_inputs(
        inputs, output, values, kinds, _by_recipe(values, recipes, modules), _instead, who=f"the preset {preset.name}"
    )


def _refuse_command_names(inputs: tuple[str, ...]) -> None:
    """Raise ``UsageError`` for a command that comes after its options: it would be taken for a file."""
    context = click.get_current_context()
    group = context.parent.command if context.parent is not None else None
    names = group.list_commands(context) if isinstance(group, click.Group) else []
    for name in inputs:
        if name in names and not Path(name).exists():
            raise click.UsageError(f"{name} is a command and comes first: depth3d {name} [OPTIONS] FILE")


def _instead(name: str, media: str) -> str:
    """Return advice for an option that does not apply."""
    if name == "preset":
        return "; destinations are listed by `depth3d presets`, other values are encoder settings of clips"
    if takes(_OTHERS[media].KINDS, name, media):
        return f"; `depth3d {_OTHERS[media].command.name} {media.upper()}` takes it"
    return f"; it is for {'clips' if media == 'photo' else 'photos'}"


def _destination(values: dict[str, Any]) -> Preset | None:
    """Return the preset that ``--preset`` names; None for an encoder's speed preset, which has the same flag.

    Raises ``InvalidOption`` for a name that is nearly that of a preset.
    """
    name = values["preset"]
    if name is None:
        return None
    from depth3d.pipeline.presets import find_preset, read_config

    presets = read_config().all_presets()
    if name in presets or get_close_matches(name, presets, n=1):
        return find_preset(name, presets)
    return None


def _by_recipe(
    values: dict[str, Any], recipes: dict[str, Recipe], modules: dict[str, Any]
) -> Callable[[Path, Path | None, str], Job]:
    """Return the function that prepares one input by a preset; options that the user set count more than it."""
    own = {name: value for name, value in given(values).items() if not from_settings(name)}
    chosen = {media: {**values, **recipe.options, **own} for media, recipe in recipes.items()}
    prepare = {media: module.preparer(chosen[media]) for media, module in modules.items()}

    def prepare_one(path: Path, output: Path | None, media: str) -> Job:
        ending = recipes[media].ending
        if ending and (output is None or output.is_dir()):
            output = (path.parent if output is None else output) / f"{path.stem}{ending}"
        job: Job = prepare[media](path, output, media)
        return job

    return prepare_one


def _preparer(values: dict[str, Any]) -> Callable[[Path, Path | None, str], Job]:
    prepare = {"photo": animate.preparer(values), "clip": stereo.preparer(values)}
    return lambda path, output, media: prepare[media](path, output, media)
