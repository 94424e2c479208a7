"""``depth3d``: finds the command, runs it, turns errors into one line and an exit code.

Commands are loaded when they are called, so that ``depth3d --help`` imports neither torch nor GL.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import signal
import sys
from importlib import import_module

import click

from depth3d import __version__
from depth3d.cli.options import in_flags
from depth3d.cli.output import log
from depth3d.cli.run import describe
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
        if cmd_name == "help":
            return _help
        if cmd_name in COMMANDS:
            return _load(COMMANDS[cmd_name][0])
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in COMMANDS or args[0] == "help":
            return super().resolve_command(ctx, args)
        if not args[0].startswith("-") and not os.path.exists(args[0]) and not _looks_like_file(args[0]):
            raise click.UsageError(f"{args[0]!r} is neither a file nor a command.{_nearest_command(args[0])}")
        return "auto", self.get_command(ctx, "auto"), args

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # `depth3d --force photo.jpg`: options before the file belong to the default command.
        own = {"--help", "-h", "--version"}
        if args and args[0].startswith("-") and args[0] not in own:
            # "--" keeps the group from reading the options itself; the whole line is the default command's.
            args = ["--", *args]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _looks_like_file(argument: str) -> bool:
    """Return True for what should be reported as a missing file, not as an unknown command."""
    return any(sign in argument for sign in (".", os.sep, "*", "?")) or argument in ("", "-")


def _nearest_command(word: str) -> str:
    close = difflib.get_close_matches(word.lower(), [*COMMANDS, "help"], n=1)
    return f" Did you mean `depth3d {close[0]}`?" if close else ""


@click.command("help")
@click.argument("command", required=False)
@click.pass_context
def _help(context: click.Context, command: str | None) -> None:
    """Show the help of depth3d, or of one command."""
    group = context.parent or context
    if command is None:
        click.echo(group.get_help())
        return
    found = cli.get_command(group, command) if command in (*COMMANDS, "auto", "help") else None
    if found is None:
        raise click.UsageError(f"{command!r} is no command.{_nearest_command(command)}")
    with click.Context(found, info_name=command, parent=group) as inner:
        click.echo(found.get_help(inner))


def _load(module: str) -> click.Command:
    command = import_module(module).command
    if not isinstance(command, click.Command):
        raise TypeError(f"{module}.command is not a click command")
    return command


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "DEPTH3D"},
    epilog="`depth3d help COMMAND` shows the options of a command, `depth3d help auto` those of `depth3d FILE`.",
)
@click.version_option(__version__, prog_name="depth3d", message="%(prog)s %(version)s")
def cli() -> None:
    """Turn photos and clips into 3D.

    \b
    depth3d photo.jpg        a looping 3D animation: photo_3d.mp4
    depth3d clip.mp4         3D for headset or TV: clip_LRF_Full_SBS.mp4
    depth3d folder/          every photo and clip in it
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the program and exit: 0 done, 1 could not, 2 usage, 130 interrupted."""
    _open_standard_streams()
    _stop_on_signals()
    code = _run(arguments)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        code = _no_output(error)
    sys.exit(code)


def _run(arguments: list[str] | None) -> int:
    try:
        code = cli.main(arguments, prog_name="depth3d", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _report("interrupted", 130)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except InvalidOption as error:
        return _report(in_flags(error), 2)
    except Depth3DError as error:
        return _report(in_flags(error), 1)
    except OSError as error:
        return _no_output(error) if error.filename is None else _report(describe(error), 1)
    except Exception as error:
        if os.environ.get("DEPTH3D_TRACEBACK"):
            raise
        return _report(in_flags(describe(error)), 1)
    return code if isinstance(code, int) else 0


def _report(message: str, code: int) -> int:
    log(f"depth3d: {message}")
    return code


def _no_output(error: OSError) -> int:
    """Report that standard output took no result; without a word where its reader went away (`depth3d ... | head`)."""
    # Nothing may be written to it when Python exits, or that fails once more.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 1
    return _report(f"standard output: {(error.strerror or str(error)).lower()}", 1)


def _open_standard_streams() -> None:
    """Open the null device in place of closed standard streams: the next file would get their number."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _stop_on_signals() -> None:
    """Let SIGTERM and SIGHUP stop a run as Ctrl-C does: nothing half-written stays, and it can go on later."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # An ignored SIGHUP (nohup) stays ignored.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            with contextlib.suppress(ValueError):  # not the main thread
                signal.signal(number, stop)
