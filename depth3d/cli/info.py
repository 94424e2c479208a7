"""The command ``depth3d info``: system information for bug reports."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import click

from depth3d import __version__
from depth3d.errors import Depth3DError

__all__ = ["UNAVAILABLE", "command", "ffmpeg", "opengl"]

# What a part of depth3d raises where it does not work on this machine.
UNAVAILABLE = (Depth3DError, ImportError, OSError, RuntimeError)

PACKAGES = (
    "torch",
    "timm",
    "torchvision",
    "moderngl",
    "numpy",
    "imageio-ffmpeg",
    "av",
    "trimesh",
    "Pillow",
    "pillow-heif",
    "opencv-contrib-python-headless",
    "openvino",
)


@click.command("info")
@click.option("--json", "as_json", is_flag=True, help="One machine-readable line.")
def command(as_json: bool) -> None:
    """Show OpenGL renderer, torch device, ffmpeg, caches and versions."""
    facts = {
        "depth3d": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
        "torch device": _try(_torch_device),
        "OpenGL": _try(opengl),
        "ffmpeg": _try(ffmpeg),
        "weights cache": _try(_cache),
        **{name: _version(name) for name in PACKAGES},
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    width = max(map(len, facts))
    for name, fact in facts.items():
        click.echo(f"{name:<{width}}  {fact}")


def _try(ask: Callable[[], str]) -> str:
    """Return ``ask()``, or the reason why it failed, so that the report also works on a broken system."""
    try:
        return ask()
    except UNAVAILABLE as error:
        return f"not available: {error}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _torch_device() -> str:
    import torch

    if torch.cuda.is_available():
        return f"cuda: {torch.cuda.get_device_name()}"
    if torch.backends.mps.is_available():
        return "mps"
    return f"cpu, {torch.get_num_threads()} threads"


def opengl() -> str:
    """Return renderer and version of the OpenGL context."""
    from depth3d.render.context import describe_context

    facts = describe_context()
    return f"{facts['renderer']}, {facts['version']}"


def ffmpeg() -> str:
    """Return version and path of ffmpeg."""
    from depth3d.io.video.encoders import ffmpeg_version

    return ffmpeg_version()


def _cache() -> str:
    from depth3d.depth.weights import cache_folder

    return str(cache_folder())
