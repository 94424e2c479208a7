"""Entry point of ``depth3d``: runs the command, reports errors as one line and an exit code.

Commands are imported when called, so that ``depth3d --help`` imports neither torch nor OpenGL.
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
from depth3d.cli.batch import describe
from depth3d.cli.options import in_flags
from depth3d.cli.output import log
from depth3d.errors import Depth3DError, InvalidOption, in_words

__all__ = ["COMMANDS", "main"]

# Command -> (module that defines `command`, text for `depth3d --help`), so that the help imports no command.
COMMANDS = {
    "animate": ("depth3d.cli.animate", "Convert photos to looping 3D animations."),
    "stereo": ("depth3d.cli.stereo", "Convert photos and clips to side-by-side 3D or another stereo format."),
    "anaglyph": ("depth3d.cli.anaglyph", "Convert photos and clips for red-cyan glasses."),
    "depth": ("depth3d.cli.depth", "Write only the depth map: picture, array, clip or Facebook pair."),
    "mesh": ("depth3d.cli.mesh", "Convert photos to textured meshes: GLB, OBJ, PLY."),
    "view": ("depth3d.cli.view", "Convert photos to web pages that show them in 3D."),
    "studio": ("depth3d.cli.studio", "Open a page in the browser: drop, slide, brush, save."),
    "live": ("depth3d.cli.live", "Show a camera, the screen or a stream in 3D, on a page of this machine."),
    "check": ("depth3d.cli.check", "Measure parallax, comfort and defects of stereo files."),
    "fix": ("depth3d.cli.fix", "Correct stereo photos and clips: alignment, colors, swapped eyes, comfort."),
    "presets": ("depth3d.cli.presets", "List the destinations for `depth3d FILE --preset NAME`."),
    "config": ("depth3d.cli.config", "Show or create the file of your own defaults and presets."),
    "models": ("depth3d.cli.models", "List, download and find depth networks."),
    "doctor": ("depth3d.cli.doctor", "Say what works here, and what to install for what does not."),
    "info": ("depth3d.cli.info", "Show system information for bug reports."),
}


class _Commands(click.Group):
    """Import a command when it is used; the default command handles files."""

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
        is_complete = not ctx.resilient_parsing  # else a shell asks for completions
        if (
            is_complete
            and not args[0].startswith("-")
            and not os.path.exists(args[0])
            and not _looks_like_file(args[0])
        ):
            raise click.UsageError(f"{args[0]!r} is neither a file nor a command.{_nearest_command(args[0])}")
        return "auto", self.get_command(ctx, "auto"), args

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # `depth3d --force photo.jpg`: options before the file are those of the default command.
        own = {"--help", "-h", "--version"}
        if args and args[0].startswith("-") and args[0] not in own:
            # "--" passes all arguments to the default command.
            args = ["--", *args]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _looks_like_file(argument: str) -> bool:
    """Return True if an argument should be reported as a missing file instead of an unknown command."""
    return any(sign in argument for sign in (".", os.sep, "*", "?")) or argument in ("", "-")


def _nearest_command(word: str) -> str:
    close = difflib.get_close_matches(word.lower(), [*COMMANDS, "help"], n=1)
    return f" Did you mean `depth3d {close[0]}`?" if close else ""


@click.command("help")
@click.argument("command", required=False)
@click.pass_context
def _help(context: click.Context, command: str | None) -> None:
    """Show the help of depth3d or of a command."""
    group = context.parent or context
    if command is None:
        click.echo(group.get_help())
        return
    found = cli.get_command(group, command) if command in (*COMMANDS, "auto", "help") else None
    if found is None:
        raise click.UsageError(f"{command!r} is not a command.{_nearest_command(command)}")
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
@click.pass_context
def cli(context: click.Context) -> None:
    """Convert photos and clips to 3D.

    \b
    depth3d photo.jpg        a looping 3D animation: photo_3d.mp4
    depth3d clip.mp4         3D for headset or TV: clip_LRF_Full_SBS.mp4
    depth3d folder/          every photo and clip in it
    """
    if context.invoked_subcommand not in (None, "config", "doctor", "help", "info"):
        from depth3d.cli.config import default_map

        context.default_map = default_map(["auto", *COMMANDS])


def main(arguments: list[str] | None = None) -> None:
    """Run the program and exit: 0 success, 1 failure, 2 usage error, 130 interrupted."""
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
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        return _report(_usage(error), error.exit_code)
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


def _usage(error: click.ClickException) -> str:
    """Describe a usage error in one line: what is wrong, the nearest right option, where all of them are listed."""
    context = getattr(error, "ctx", None)
    name = "" if context is None or context.parent is None else context.info_name
    if isinstance(error, click.NoSuchOption):
        close = difflib.get_close_matches(error.option_name, error.possibilities or [], n=1, cutoff=0.75)
        told = f"no such option {error.option_name}" + (f"; did you mean {close[0]}?" if close else "")
    else:
        told = error.format_message().rstrip(".")
        told = told[:1].lower() + told[1:]
    if not isinstance(error, click.UsageError):
        return told
    known = name not in ("", "help")
    listed = f"`depth3d help {name}` lists the options" if known else "`depth3d help` lists the commands"
    return f"{told}{'' if told.endswith('?') else ';'} {listed}"


def _report(message: str, code: int) -> int:
    log(f"depth3d: {message}")
    return code


def _no_output(error: OSError) -> int:
    """Report an error of standard output; silent if its reader was closed (`depth3d ... | head`)."""
    # Redirected, so that flushing at exit does not fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 1
    return _report(f"standard output: {in_words(error).lower()}", 1)


def _open_standard_streams() -> None:
    """Open the null device for closed standard streams; otherwise the next opened file would get their number."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _stop_on_signals() -> None:
    """Handle SIGTERM and SIGHUP like Ctrl-C: partial files are deleted and the run can be resumed."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # An ignored SIGHUP (nohup) stays ignored.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            with contextlib.suppress(ValueError):  # not the main thread
                signal.signal(number, stop)
