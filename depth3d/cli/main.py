"""``depth3d``: finds the command, runs it, turns errors into one line and an exit code.

Commands are loaded when they are called, so that ``depth3d --help`` imports neither torch nor GL.
"""

from __future__ import annotations

import difflib
import os
import sys
from importlib import import_module

import click

from depth3d import __version__
from depth3d.cli.options import in_flags
from depth3d.errors import Depth3DError, InvalidOption

__all__ = ["COMMANDS", "main"]

# Command -> (module that holds `command`, what `depth3d --help` says). A table, so that the help needs no import.
COMMANDS = {
    "animate": ("depth3d.cli.animate", "A photo becomes a looping 3D animation."),
    "stereo": ("depth3d.cli.stereo", "A photo or clip becomes side-by-side 3D, or any other stereo format."),
    "anaglyph": ("depth3d.cli.anaglyph", "A photo or clip for red-cyan glasses."),
    "depth": ("depth3d.cli.depth", "Only the depth map, as a picture, numbers, a clip or a Facebook pair."),
    "mesh": ("depth3d.cli.mesh", "A photo becomes a textured mesh: GLB, OBJ, PLY."),
    "view": ("depth3d.cli.view", "A photo becomes a web page that shows it in 3D."),
    "check": ("depth3d.cli.check", "Measure parallax, comfort and faults of any stereo file."),
    "models": ("depth3d.cli.models", "List, download and find depth networks."),
    "info": ("depth3d.cli.info", "What a bug report needs: GL, torch, ffmpeg, caches, versions."),
}


class _Commands(click.Group):
    """Loads a command when it is named; anything that is no command is a file to turn into 3D."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "auto":
            return _load("depth3d.cli.auto")
        if cmd_name in COMMANDS:
            return _load(COMMANDS[cmd_name][0])
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in COMMANDS:
            return super().resolve_command(ctx, args)
        files = [argument for argument in args if not argument.startswith("-")]
        if not any(os.path.exists(name) for name in files) and not _looks_like_file(args[0]):
            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean `depth3d {close[0]}`?" if close else ""
            raise click.UsageError(f"{args[0]!r} is neither a file nor a command.{hint}")
        return "auto", self.get_command(ctx, "auto"), args

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # `depth3d --force photo.jpg`: options before the file belong to the default command.
        own = {"--help", "-h", "--version"}
        if args and args[0].startswith("-") and args[0] not in own:
            args = ["auto", *args]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _looks_like_file(argument: str) -> bool:
    """A missing file should be told as a missing file, not as an unknown command."""
    return "." in argument or os.sep in argument


def _load(module: str) -> click.Command:
    command = import_module(module).command
    if not isinstance(command, click.Command):
        raise TypeError(f"{module}.command is not a click command")
    return command


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "DEPTH3D"},
    epilog="`depth3d COMMAND --help` tells the options of each. `depth3d PHOTO --help` works too.",
)
@click.version_option(__version__, prog_name="depth3d", message="%(prog)s %(version)s")
def cli() -> None:
    """Turn photos and clips into 3D.

    \b
    depth3d photo.jpg        a looping 3D animation: photo_3d.mp4
    depth3d clip.mp4         3D for headset or TV: clip_LRF_Full_SBS.mp4
    depth3d folder/          every picture and clip in it
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the program and exit: 0 done, 1 could not, 2 usage, 130 interrupted."""
    try:
        code = cli.main(arguments, prog_name="depth3d", standalone_mode=False)
    except click.exceptions.Abort:
        code = _say("interrupted", 130)
    except KeyboardInterrupt:
        code = _say("interrupted", 130)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except InvalidOption as error:
        code = _say(in_flags(error), 2)
    except Depth3DError as error:
        code = _say(in_flags(error), 1)
    except BrokenPipeError:
        # The reader of our standard output went away (`depth3d ... | head`): nothing left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except MemoryError:
        code = _say("out of memory; try a smaller --size", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _say(message: str, code: int) -> int:
    click.echo(f"depth3d: {message}", err=True)
    return code
