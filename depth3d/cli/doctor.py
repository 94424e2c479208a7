"""The command ``depth3d doctor``: what works here, and what to install for what does not."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import click

from depth3d.cli.info import UNAVAILABLE, ffmpeg, opengl
from depth3d.errors import Depth3DError

__all__ = ["command"]

EXTRAS = {
    "openvino": ("openvino", "networks up to twice as fast on Intel and AMD processors (--engine openvino)"),
    "onnx": ("onnxruntime", "ONNX networks (--model FILE.onnx); OpenVINO runs them too"),
    "jxl": ("pillow_jxl", "JPEG XL pictures"),
    "transformers": ("transformers", "depth networks of Hugging Face (--model hf:OWNER/NAME)"),
    "studio": ("starlette", "the page of `depth3d studio`"),
    "usd": ("pxr", "USDZ for iPhone, iPad and Vision Pro (-o photo.usdz)"),
    "dask": ("distributed", "films on several machines (--cluster)"),
}
"""Extra -> (module, what it adds). Those that this version of depth3d does not have are left out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. ``state``: "ok", "missing" (optional) or "broken"."""

    name: str
    state: str
    text: str


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One machine-readable line per finding.")
def command(as_json: bool) -> None:
    """Try OpenGL, ffmpeg, networks and extras, and say what to install for what is missing.

    Exit code 1 if something is broken that depth3d needs; missing extras are no fault.
    """
    findings = [*_needed(), *_extras()]
    for one in findings:
        click.echo(json.dumps(asdict(one)) if as_json else f"{one.state:8} {one.name:14} {one.text}")
    if any(one.state == "broken" for one in findings):
        raise Depth3DError("something that depth3d needs is broken; the lines above say what to do")


def _needed() -> Iterator[Finding]:
    yield _tried("OpenGL", _opengl)
    yield _tried("ffmpeg", ffmpeg)
    yield _tried("weights cache", _cache)
    yield _tried("own settings", _settings)
    yield _networks()


def _extras() -> Iterator[Finding]:
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        known = set(metadata("depth3d").get_all("Provides-Extra") or ())
    except PackageNotFoundError:  # run from a checkout that is not installed
        known = set(EXTRAS)
    for extra, (module, what) in EXTRAS.items():
        if extra in known and importlib.util.find_spec(module) is not None:
            yield Finding(extra, "ok", what)
        elif extra in known:
            yield Finding(extra, "missing", f'{what}: pip install "depth3d[{extra}]"')


def _tried(name: str, ask: Callable[[], str]) -> Finding:
    try:
        return Finding(name, "ok", ask())
    except UNAVAILABLE as error:
        return Finding(name, "broken", " ".join(str(error).split()))


def _opengl() -> str:
    from depth3d.render.context import is_software

    shown = opengl()
    return f"{shown}; no GPU is used: pictures are drawn by the processor" if is_software() else shown


def _cache() -> str:
    import tempfile

    from depth3d.depth.weights import cache_folder

    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return f"{folder} can be written"


def _settings() -> str:
    from depth3d.pipeline.presets import read_config

    config = read_config()
    return f"{config.path}: {len(config.defaults)} defaults, {len(config.presets)} presets"


def _networks() -> Finding:
    from depth3d.depth import registry, weights

    there = [card.name for card in registry.cards() if card.preference > 0 and weights.cached(card)]
    if there:
        return Finding("networks", "ok", ", ".join(there))
    advice = "only the built-in `tiny`; `depth3d models download depth-anything-v2-small` gets a far better one"
    return Finding("networks", "missing", advice)
