"""Resolve the inputs and outputs of a run and validate names and options early.

These functions load no network and open no picture, so that a wrong name, folder, suffix or option is reported before
any work starts.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from depth3d.errors import InvalidInput, InvalidOption, ModelError, ReadError, in_words
from depth3d.io.video.suffixes import CLIP_SUFFIXES, PHOTO_SUFFIXES, is_clip, is_sequence
from depth3d.options import DepthOptions, StabilizeOptions
from depth3d.quantities import home_path
from depth3d.validation import nearest

__all__ = [
    "Input",
    "check_depth_source",
    "check_stabilizer",
    "expand",
    "media_of",
]

Results = Literal["none", "stereo", "all"]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_CHECKPOINTS = (".pt", ".pth", ".safetensors", ".ckpt", ".bin")
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?|xpu(:\d+)?")


_CLOSE = 0.75  # likeness of a name that is suggested instead of one that does not exist


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a run.

    Parameters
    ----------
    path : Path
        The file.
    inside : Path
        Its folder relative to the folder that the user named; "." for a file named directly.
    found : bool
        Whether it was found in a folder or by a pattern, not named.
    """

    path: Path
    inside: Path = Path()
    found: bool = False


def expand(names: Sequence[str | Path], *, recursive: bool = False, results: Results = "none") -> list[Input]:
    """Expand folders to the photos and clips in them and patterns to the matching files.

    In folders, depth maps, results of earlier runs and hidden files are skipped; duplicates are removed. Names that do
    not exist are kept, so that the error is reported when they are opened.

    Raises ``InvalidInput`` for web addresses, standard input, patterns and folders without a match.

    Parameters
    ----------
    names : Sequence[str | Path]
        Files, folders, patterns ("*.jpg", for shells that do not expand them), "@FILE" for a list with one name a line.
    recursive : bool
        Include the files in subfolders.
    results : Literal["none", "stereo", "all"]
        Results of earlier runs in folders that are included: none, all but those of `fix` (for `fix`), all (for
        `check`).
    """
    found: dict[str, Input] = {}
    for name in names:
        for item in _expanded(name, recursive, results):
            found.setdefault(os.path.normcase(os.path.abspath(item.path)), item)
    return list(found.values())


def _expanded(name: str | Path, recursive: bool, results: Results) -> Iterator[Input]:
    text = os.fspath(name)
    if text == "-":
        raise InvalidInput("'-': standard input cannot be read as a photo or clip; save it to a file first")
    if "\0" in text or not text.strip():
        raise InvalidInput(f"{text!r}: expected the name of a file or folder")
    path = Path(_local(text))
    if text.startswith("@") and not path.exists():
        for line in _listed(Path(text[1:])):
            yield from _expanded(line, recursive, results)
    elif path.is_dir():
        yield from _folder(path, recursive, results)
    elif has_magic(text) and not path.exists() and "%" not in text:
        matches = [match for match in sorted(map(Path, glob(text))) if _is_input(match, results)]
        if not matches:
            raise InvalidInput(f"{text}: no photo or clip matches this pattern")
        yield from (Input(match, found=True) for match in matches)
    else:
        yield Input(path)


def _listed(file: Path) -> list[Path]:
    """Return the names in a list, one a line, relative to its folder; raises ``ReadError``."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is not a text file"
        raise ReadError(file, f"the list of inputs cannot be read: {str(reason).lower()}") from error
    names = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    nested = [name for name in names if name.startswith("@")]
    if nested or not names:
        raise InvalidInput(f"{file}: expected the names of photos, clips and folders, one a line")
    return [file.parent / name for name in names]


def _local(text: str) -> str:
    """Return the path of a file:// address; raise ``InvalidInput`` for every other address."""
    if not _URL.match(text) or os.path.exists(text):
        return text
    parts = urlsplit(text)
    if parts.scheme.lower() == "file" and parts.netloc in ("", "localhost"):
        return unquote(parts.path)
    raise InvalidInput(f"{text}: web addresses are not opened; download the file first")


def _folder(folder: Path, recursive: bool, results: Results) -> Iterator[Input]:
    from depth3d.io.stereo.couple import is_second_eye

    # A subfolder that cannot be read stays as it is: it fails when it is opened, the others are converted.
    paths = (
        path
        for path in _walk(folder, recursive)
        if path.is_dir() or (_is_input(path, results) and not is_second_eye(path))
    )
    found = [Input(path, path.parent.relative_to(folder), found=True) for path in paths]
    if not found:
        more = "" if recursive else " (`recursive=True` includes subfolders)"
        raise InvalidInput(f"{folder}: no photo or clip in this folder{more}")
    yield from found


def _walk(folder: Path, recursive: bool) -> Iterator[Path]:
    """Yield the files of a folder sorted by name, then those of its subfolders, or a subfolder that cannot be read."""
    entries = _entries(folder)
    yield from (entry for entry in entries if not entry.is_dir())
    if recursive:
        for entry in entries:
            if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
                try:
                    yield from _walk(entry, recursive)
                except ReadError:  # of its own list; deeper ones are handled there
                    yield entry


def _entries(folder: Path) -> list[Path]:
    """Return what a folder holds, sorted by name; raises ``ReadError``."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise ReadError(folder, f"the folder cannot be read: {in_words(error).lower()}") from error


def _is_input(path: Path, results: Results) -> bool:
    from depth3d.io.depth.names import is_depth_name, is_fixed_name, is_result_name
    from depth3d.io.stereo.registry import stereo_suffixes

    known = PHOTO_SUFFIXES | CLIP_SUFFIXES | {*stereo_suffixes()}
    if path.name.startswith(".") or path.suffix.lower() not in known or not path.is_file():
        return False
    if is_depth_name(path):
        return False
    if results == "stereo":
        return not is_fixed_name(path)
    return results == "all" or not is_result_name(path)


def media_of(path: Path) -> str:
    """Return "clip" or "photo".

    Raises ``ReadError``, with the closest name, for a file that does not exist, and for folders that cannot be read.
    """
    if path.is_dir():
        _entries(path)
    if not path.exists() and not is_sequence(path) and "%" not in path.name:
        hint = ""
        if path.parent.is_dir():
            try:
                close = difflib.get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], 1, _CLOSE)
            except OSError:
                close = []
            hint = f"; did you mean {close[0]}?" if close else ""
        raise ReadError(path, f"no such file{hint}")
    return "clip" if is_clip(path) else "photo"


def check_depth_source(options: DepthOptions, media: str = "clip") -> None:
    """Check that depth file, second eye, network, device and matcher of ``options`` exist, without loading them.

    Raises ``ReadError`` or ``WeightsError`` for missing files, ``InvalidOption`` for unknown names.

    Parameters
    ----------
    options : DepthOptions
        Source of the depth.
    media : str
        "photo" or "clip": the depth of a photo must be a picture.
    """
    if options.depth is not None:
        _check_file("depth", options.depth, "depth file", media)
    if options.second_eye is not None:
        _check_file("second_eye", options.second_eye, "file of the second eye", media)
    if options.hints not in (None, "none") and not Path(options.hints).is_file():
        raise ReadError(options.hints, "no such hint file")
    if _DEVICE.fullmatch(options.device) is None:
        raise InvalidOption("device", f"{options.device!r}, expected auto, cpu, cuda, cuda:1, or mps")
    from depth3d.depth.stereo.matchers import MATCHERS

    _check_named("matcher", options.matcher, list(MATCHERS), ("sgm", "dis"))
    if options.depth is None and options.model != "auto":
        _check_model(options.model)


def _check_file(option: str, name: str, what: str, media: str) -> None:
    """Check a file that belongs to an input: it exists, and is a picture if the input is a photo."""
    if _URL.match(name) or name == "-":
        raise InvalidOption(option, f"{name}: expected a file; download or save it first")
    path = Path(name)
    if not path.exists() and (media == "photo" or "%" not in name):
        raise ReadError(name, f"no such {what}")
    if media == "photo" and is_clip(path):
        raise ReadError(name, f"is a clip, expected a picture: save the frame that belongs to the photo as a {what}")


def _check_model(model: str) -> None:
    """Check a model option: name of a network, checkpoint file, or NAME:FILE."""
    from depth3d.depth import registry

    name, colon, file = model.partition(":")
    if Path(model).suffix.lower() in _CHECKPOINTS:
        file = file if colon and not Path(model).exists() else model
        if not home_path(file).is_file():
            raise ReadError(file, "no such checkpoint file")
        if file == model:
            return
        model = name
    try:
        registry.get(model)
    except ModelError as error:
        raise InvalidOption("model", str(error)) from None


def check_stabilizer(options: StabilizeOptions) -> None:
    """Check the names of optical flow and temporal filter. Raises ``InvalidOption``."""
    from depth3d.depth.flow_networks import FLOW_CARDS
    from depth3d.depth.temporal.protocol import FILTERS

    _check_named("flow", options.flow, ["dis", *FLOW_CARDS], ("dis",))
    if options.temporal_filter not in FILTERS:
        known = list(FILTERS)
        raise InvalidOption(
            "temporal_filter", f"{options.temporal_filter!r} is unknown{nearest(options.temporal_filter, known)}"
        )
    if options.depth_every != 1 and options.temporal_filter == "none":
        raise InvalidOption("depth_every", "excludes the temporal filter none, which does not follow the motion")


def _check_named(option: str, value: str, known: list[str], built_in: Sequence[str]) -> None:
    """Check "NAME" or "NAME:FILE"; names not in ``built_in`` need a file."""
    name, _, file = value.partition(":")
    if name not in known:
        raise InvalidOption(option, f"{name!r} is unknown{nearest(name, known)}")
    if name not in built_in and not file:
        raise InvalidOption(option, f"{value!r}, expected {name}:FILE with the checkpoint of the network")
    if file and not home_path(file).is_file():
        raise ReadError(file, f"no such checkpoint file (`{option}`)")
