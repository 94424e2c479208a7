"""Inputs and outputs of a run: names become files, files get targets, and what can be checked early is.

Nothing here loads a network or opens a picture, so that a wrong name, folder, suffix or option is reported before
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
from urllib.parse import unquote, urlsplit

from depth3d.errors import InvalidInput, InvalidOption, ModelError, ReadError, WriteError
from depth3d.io.video.suffixes import CLIP_SUFFIXES, PHOTO_SUFFIXES, is_clip, is_sequence
from depth3d.options import DepthOptions, StabilizeOptions
from depth3d.validation import nearest

__all__ = [
    "Destination",
    "Input",
    "check_depth_source",
    "check_stabilizer",
    "check_suffix",
    "expand",
    "media_of",
    "target_for",
]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_LONGEST_NAME = 255  # bytes; what ext4, APFS, NTFS and exFAT allow, each in its own unit
_CHECKPOINTS = (".pt", ".pth", ".safetensors", ".ckpt", ".bin")
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?|xpu(:\d+)?")


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a run.

    Parameters
    ----------
    path : Path
        The file.
    inside : Path
        Its folder relative to the folder that the user named; "." for a file named by itself.
    """

    path: Path
    inside: Path = Path()


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the results of a run go.

    Parameters
    ----------
    path : Path | None
        A file, a folder, or None for the folder of each input.
    folder : bool
        Whether ``path`` is a folder.
    """

    path: Path | None = None
    folder: bool = False

    @classmethod
    def of(cls, output: str | Path | None, inputs: int = 1) -> Destination:
        """Interpret an output name; a name that ends with a slash is a folder even if it does not exist yet.

        Raises ``InvalidOption`` for a name that no file can have, and for one file as the target of several inputs.
        """
        if output is None:
            return cls()
        text = os.fspath(output)
        if "\0" in text or not text.strip():
            raise InvalidOption("output", f"{text!r}, expected a file or folder name")
        folder = text.endswith(("/", os.sep)) or os.path.isdir(text)
        if inputs > 1 and not folder:
            raise InvalidOption(
                "output", f"names one file, but there are {inputs} inputs; name a folder ({text}/) or omit `output`"
            )
        return cls(Path(text), folder)

    def for_input(self, item: Input) -> Path | None:
        """Return what a function of the pipeline takes as ``output``; the folder is made, with its subfolders.

        Raises ``WriteError`` if it cannot be made.
        """
        if self.path is None or not self.folder:
            return self.path
        folder = self.path / item.inside
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(folder, f"the folder cannot be made: {error.strerror or error}") from error
        return folder


def expand(names: Sequence[str | Path], *, recursive: bool = False, results: bool = False) -> list[Input]:
    """Replace folders by the photos and clips in them and patterns by the files that match.

    Depth maps and results of earlier runs, hidden files and folders are left out of folders; every file comes once.
    A name that does not exist stays, so that its own error is reported when it is opened.

    Raises ``InvalidInput`` for web addresses, standard input, patterns and folders without a match.

    Parameters
    ----------
    names : Sequence[str | Path]
        Files, folders, patterns ("*.jpg", for shells that do not expand them).
    recursive : bool
        Also take the files in subfolders.
    results : bool
        Also take results of earlier runs in folders: what `check` measures.
    """
    found: dict[str, Input] = {}
    for name in names:
        for item in _expanded(name, recursive, results):
            found.setdefault(os.path.normcase(os.path.abspath(item.path)), item)
    return list(found.values())


def _expanded(name: str | Path, recursive: bool, results: bool) -> Iterator[Input]:
    text = os.fspath(name)
    if text == "-":
        raise InvalidInput("'-': standard input cannot be read as a photo or clip; save it to a file and name that")
    if "\0" in text or not text.strip():
        raise InvalidInput(f"{text!r}: expected the name of a file or folder")
    path = Path(_local(text))
    if path.is_dir():
        yield from _folder(path, recursive, results)
    elif has_magic(text) and not path.exists() and "%" not in text:
        matches = [match for match in sorted(map(Path, glob(text))) if _is_input(match, results)]
        if not matches:
            raise InvalidInput(f"{text}: no photo and no clip matches this pattern")
        yield from map(Input, matches)
    else:
        yield Input(path)


def _local(text: str) -> str:
    """Return the path of a file:// address; raise ``InvalidInput`` for every other address."""
    if not _URL.match(text) or os.path.exists(text):
        return text
    parts = urlsplit(text)
    if parts.scheme.lower() == "file" and parts.netloc in ("", "localhost"):
        return unquote(parts.path)
    raise InvalidInput(f"{text}: web addresses are not opened; download the file and give its name")


def _folder(folder: Path, recursive: bool, results: bool) -> Iterator[Input]:
    from depth3d.io.stereo.couple import is_second_eye

    paths = (path for path in _walk(folder, recursive) if _is_input(path, results) and not is_second_eye(path))
    found = [Input(path, path.parent.relative_to(folder)) for path in paths]
    if not found:
        more = "" if recursive else " (`recursive=True` also looks into its subfolders)"
        raise InvalidInput(f"{folder}: no photo and no clip in this folder{more}")
    yield from found


def _walk(folder: Path, recursive: bool) -> Iterator[Path]:
    """Yield the files of a folder in the order of their names, those of its subfolders behind them."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise ReadError(folder, f"the folder cannot be read: {error.strerror or error}") from error
    yield from (entry for entry in entries if not entry.is_dir())
    if recursive:
        for entry in entries:
            if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
                yield from _walk(entry, recursive)


def _is_input(path: Path, results: bool) -> bool:
    from depth3d.io.depth.names import is_depth_name, is_result_name

    if path.name.startswith(".") or path.suffix.lower() not in PHOTO_SUFFIXES | CLIP_SUFFIXES or not path.is_file():
        return False
    return not is_depth_name(path) and (results or not is_result_name(path))


def media_of(path: Path) -> str:
    """Return "clip" or "photo". Raises ``ReadError`` for a file that does not exist, with the nearest name."""
    if not path.exists() and not is_sequence(path) and "%" not in path.name:
        hint = ""
        if path.parent.is_dir():
            try:
                close = difflib.get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
            except OSError:
                close = []
            hint = f"; did you mean {close[0]}?" if close else ""
        raise ReadError(path, f"no such file{hint}")
    return "clip" if is_clip(path) else "photo"


def target_for(source: Path, output: str | Path | None, name: str) -> Path:
    """Return the file to write: ``name`` beside the source, ``name`` in the folder ``output``, or ``output`` itself.

    Raises ``InvalidOption`` for a name with NUL, ``WriteError`` for one that is too long for a file system.
    """
    destination = Destination.of(output)
    if destination.path is None:
        target = source.with_name(name)
    else:
        target = destination.path / name if destination.folder else destination.path
    length = len(os.fsencode(target.name))
    if length > _LONGEST_NAME:
        raise WriteError(
            target.parent,
            f"the name of the result takes {length} bytes, a file system allows {_LONGEST_NAME}; give a shorter one "
            "with `output`",
        )
    return target


def check_suffix(target: Path, suffixes: Sequence[str], what: str) -> Path:
    """Return ``target``; raise ``InvalidOption`` if its suffix is none of ``suffixes``, the formats of ``what``."""
    suffix = target.suffix.lower()
    if suffix not in suffixes:
        known = ", ".join(suffixes)
        shown = f"'{suffix}'" if suffix else "a name without suffix"
        raise InvalidOption("output", f"{target.name}: {shown} is not a format of {what}; expected one of {known}")
    return target


def check_depth_source(options: DepthOptions) -> None:
    """Check that the depth file, the network, the device and the matcher of ``options`` exist, without loading them.

    Raises ``ReadError`` or ``WeightsError`` for missing files, ``InvalidOption`` for unknown names.
    """
    if options.depth is not None and not Path(options.depth).exists() and "%" not in options.depth:
        raise ReadError(options.depth, "no such depth file")
    if _DEVICE.fullmatch(options.device) is None:
        raise InvalidOption("device", f"{options.device!r}, expected auto, cpu, cuda, cuda:1, or mps")
    from depth3d.depth.stereo.matchers import MATCHERS

    _check_named("matcher", options.matcher, list(MATCHERS), ("sgm", "dis"))
    if options.depth is None and options.model != "auto":
        _check_model(options.model)


def _check_model(model: str) -> None:
    """Check the name of a network, of a checkpoint file, or NAME:FILE."""
    from depth3d.depth import registry

    name, colon, file = model.partition(":")
    if Path(model).suffix.lower() in _CHECKPOINTS:
        file = file if colon and not Path(model).exists() else model
        if not Path(file).expanduser().is_file():
            raise ReadError(file, "no such checkpoint file")
        if file == model:
            return
        model = name
    try:
        registry.get(model)
    except ModelError as error:
        raise InvalidOption("model", str(error)) from None


def check_stabilizer(options: StabilizeOptions) -> None:
    """Check the names of the optical flow and of the temporal filter. Raises ``InvalidOption``."""
    from depth3d.depth.flow_networks import FLOW_CARDS
    from depth3d.depth.temporal.protocol import FILTERS

    _check_named("flow", options.flow, ["dis", *FLOW_CARDS], ("dis",))
    if options.temporal_filter not in FILTERS:
        known = list(FILTERS)
        raise InvalidOption(
            "temporal_filter", f"{options.temporal_filter!r} is unknown{nearest(options.temporal_filter, known)}"
        )


def _check_named(option: str, value: str, known: list[str], built_in: Sequence[str]) -> None:
    """Check "NAME" or "NAME:FILE"; names that are not ``built_in`` need their file."""
    name, _, file = value.partition(":")
    if name not in known:
        raise InvalidOption(option, f"{name!r} is unknown{nearest(name, known)}")
    if name not in built_in and not file:
        raise InvalidOption(option, f"{value!r}, expected {name}:FILE with the checkpoint of the network")
    if file and not Path(file).expanduser().is_file():
        raise ReadError(file, f"no such checkpoint file (`{option}`)")
