"""Everything the studio can write: the list for the page, the same as a command, and the tasks that write it.

An output is named by its kind and its format: "animate:.mp4", "stereo:sbs", "mesh:.glb", "view:.html", "depth:.png",
"depth:facebook". The lists come from the registries that the command line uses.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from depth3d.errors import InvalidInput, InvalidOption
from depth3d.geometry.camera.paths import PATHS
from depth3d.options import (
    AnimateOptions,
    DepthMapOptions,
    DepthOptions,
    MeshOptions,
    StereoOptions,
    VideoOptions,
    ViewOptions,
)
from depth3d.pipeline.presets import option_words
from depth3d.quantities import as_file
from depth3d.stereoformats import FORMATS
from depth3d.studio.worker import Report

__all__ = ["TASKS", "Output", "catalog", "command_line", "free_stem", "option_values"]

_COMMANDS: dict[str, tuple[str, tuple[type[Any], ...]]] = {
    "animate": ("animate", (AnimateOptions,)),
    "stereo": ("stereo", (StereoOptions,)),
    "mesh": ("mesh", (MeshOptions,)),
    "view": ("view", (ViewOptions,)),
    "depth": ("depth", (DepthMapOptions,)),
}
_MORE_MESHES = {
    ".splat": "Gaussian splats.",
    ".spz": "Gaussian splats, small.",
    ".stl": "A relief for 3D printers.",
    ".3mf": "A relief for 3D printers.",
}


@dataclass(frozen=True, slots=True)
class Output:
    """One thing to write.

    Parameters
    ----------
    kind : str
        "animate", "stereo", "mesh", "view" or "depth".
    form : str
        Suffix or name of the format.
    """

    kind: str
    form: str

    @classmethod
    def of(cls, text: object) -> Output:
        """Parse "stereo:sbs". Raises ``InvalidInput`` for what is not in the catalog.

        Parameters
        ----------
        text : object
            What the page sent.
        """
        known = {entry["id"] for group in catalog() for entry in group["entries"]}
        if not isinstance(text, str) or text not in known:
            raise InvalidInput(f"output {text!r} is unknown")
        kind, _, form = text.partition(":")
        return cls(kind, form)

    def file_name(self, stem: str, media: str = "photo") -> str:
        """Return the name of the file for a photo or clip of this stem."""
        if media == "clip":
            tag = {"animate": "_3d", "depth": "_depth"}.get(self.kind) or FORMATS[self.form].tag
            return f"{stem}{tag}.mp4"
        if self.kind == "animate":
            return f"{stem}_3d{self.form}"
        if self.kind == "stereo":
            return f"{stem}{FORMATS[self.form].tag}{FORMATS[self.form].suffix}"
        if self.kind == "depth":
            special = {"facebook": "_facebook_depth.jpg", "gdepth": "_gdepth.jpg", "dynamic": "_dynamic.jpg"}
            return f"{stem}{special.get(self.form, '_depth' + self.form)}"
        return f"{stem}{self.form}"

    def files(self, folder: Path, stem: str, media: str = "photo") -> list[Path]:
        """Return all files that will be written."""
        target = folder / self.file_name(stem, media)
        if (self.kind, self.form) == ("depth", "facebook"):
            return [target, folder / f"{stem}_facebook.jpg"]
        if (self.kind, self.form) == ("stereo", "pair"):
            return [folder / f"{stem}_L.jpg", folder / f"{stem}_R.jpg"]
        return [target]


def catalog() -> list[dict[str, Any]]:
    """Return all outputs in groups: id, label, description, and whether clips can have it."""
    from depth3d.io.animation import FORMATS as ANIMATIONS
    from depth3d.io.depth.registry import depth_formats
    from depth3d.io.mesh import SUFFIXES

    def entry(
        kind: str, form: str, label: str, about: str, *, clip: bool = False, photo: bool = True
    ) -> dict[str, Any]:
        return {"id": f"{kind}:{form}", "label": label, "about": about, "clip": clip, "photo": photo}

    moving = [suffix for suffix in ANIMATIONS if suffix not in (".m4v", ".apng")]
    depth_suffixes = dict.fromkeys(s for one in depth_formats() if one.write is not None for s in one.suffixes)
    meshes = [*SUFFIXES, *([".usdz"] if find_spec("pxr") else [])]
    stereo = [entry("stereo", card.name, card.name, card.about, clip=card.moving) for card in FORMATS.values()]
    return [
        {
            "title": "Animation",
            "entries": [entry("animate", s, s[1:].upper(), "A looping animation.", clip=s == ".mp4") for s in moving],
        },
        {"title": "Stereo", "entries": stereo},
        {
            "title": "Model and web page",
            "entries": [
                *(entry("mesh", suffix, suffix[1:].upper(), "A textured mesh.") for suffix in meshes),
                *(entry("mesh", suffix, suffix[1:].upper(), about) for suffix, about in _MORE_MESHES.items()),
                entry("view", ".html", "Web page", "One file that shows the photo in 3D in any browser."),
            ],
        },
        {
            "title": "Depth",
            "entries": [
                entry("depth", "facebook", "Facebook pair", "Photo and depth map for a Facebook 3D post."),
                entry("depth", "gdepth", "GDepth JPEG", "The photo with its depth inside."),
                entry("depth", "dynamic", "Dynamic Depth JPEG", "The photo with its depth inside."),
                *(
                    entry("depth", s, s[1:].upper(), "The depth map, white = near.", clip=s == ".png")
                    for s in depth_suffixes
                ),
            ],
        },
    ]


def option_values(kind: str, values: dict[str, Any], media: str = "photo") -> dict[str, Any]:
    """Return the values that an output of this kind uses, checked, without those that equal the defaults.

    Options that name files are not taken from a page: it has the files that are open, and no others.

    Raises ``InvalidOption``.

    Parameters
    ----------
    kind : str
        Kind of output.
    values : dict[str, Any]
        All settings of the page by option name; None = default.
    media : str
        "photo" or "clip".
    """
    if values.get("path") not in (None, "auto", *PATHS):
        raise InvalidOption("path", f"{values['path']!r}, expected auto or one of {', '.join(PATHS)}")
    kinds = (*_COMMANDS[kind][1], *((VideoOptions,) if media == "clip" else ()))
    chosen: dict[str, Any] = {}
    for options in kinds:
        open_to_pages = {item.name for item in fields(options) if item.metadata.get("convert") is not as_file}
        names = {name for name in ("path", *open_to_pages) if values.get(name) is not None and hasattr(options, name)}
        made = options(**{name: values[name] for name in names})
        usual = options()
        chosen |= {name: getattr(made, name) for name in names if getattr(made, name) != getattr(usual, name)}
    return chosen


def command_line(output: Output, source: str, values: dict[str, Any], depth: dict[str, Any], media: str) -> str:
    """Return the command that writes the same.

    Parameters
    ----------
    output : Output
        What is written.
    source : str
        Path or name of the photo or clip.
    values, depth : dict[str, Any]
        Options that are not defaults.
    media : str
        "photo" or "clip".
    """
    words = ["depth3d", _COMMANDS[output.kind][0], source]
    if output.kind == "stereo" and output.form != "sbs":
        words += ["--format", output.form]
    if output.kind == "depth" and output.form in ("gdepth", "dynamic"):
        words += ["--embed", output.form]
    elif output.kind == "depth" and output.form == "facebook":
        words += ["--facebook"]
    usual = {"animate": ".mp4", "mesh": ".glb", "depth": ".png"}.get(output.kind)
    if usual not in (None, output.form) and output.form.startswith(".") and media == "photo":
        words += ["-o", output.file_name(Path(source).stem)]
    return shlex.join([*words, *option_words({**values, **depth})])


def free_stem(output: Output, folder: Path, stem: str, media: str = "photo") -> str:
    """Return the stem, with a number if the file exists already: results are never replaced."""
    number, tried = 1, stem
    while any(file.exists() for file in output.files(folder, tried, media)):
        number += 1
        tried = f"{stem}-{number}"
    return tried


def _write(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Write one output of a photo."""
    output, path, folder = Output.of(arguments["output"]), Path(arguments["path"]), Path(arguments["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    depth = DepthOptions(**arguments["depth"])
    target = folder / output.file_name(free_stem(output, folder, arguments["stem"]))
    values = option_values(output.kind, arguments["options"])
    report({"done": 0, "total": 0, "message": "depth"})
    written = _WRITERS[output.kind](output, path, target, values, depth, report)
    return {"files": [str(file) for file in written]}


def _write_animation(
    output: Output, path: Path, target: Path, values: dict[str, Any], depth: DepthOptions, report: Report
) -> list[Path]:
    from depth3d.pipeline.animate import animate_scene
    from depth3d.studio.scenes import cached_scene

    def progress(done: int, total: int) -> None:
        report({"done": done, "total": total, "message": "rendering"})

    return [animate_scene(cached_scene(path, depth), target, AnimateOptions(**values), progress=progress)]


def _write_stereo(
    output: Output, path: Path, target: Path, values: dict[str, Any], depth: DepthOptions, report: Report
) -> list[Path]:
    from depth3d.pipeline.stereo import stereo_photo

    options = StereoOptions(**{**values, "format": output.form})
    return stereo_photo(path, target, options, depth, tell=lambda line: report({"message": line.replace("`", "")}))


def _write_mesh(
    output: Output, path: Path, target: Path, values: dict[str, Any], depth: DepthOptions, report: Report
) -> list[Path]:
    from depth3d.pipeline.export import mesh_scene
    from depth3d.studio.scenes import cached_scene

    return [mesh_scene(cached_scene(path, depth), target, MeshOptions(**values), source=path)]


def _write_page(
    output: Output, path: Path, target: Path, values: dict[str, Any], depth: DepthOptions, report: Report
) -> list[Path]:
    from depth3d.pipeline.page import view_scene
    from depth3d.studio.scenes import cached_scene

    return [view_scene(cached_scene(path, depth), target, ViewOptions(**values), source=path)]


def _write_depth(
    output: Output, path: Path, target: Path, values: dict[str, Any], depth: DepthOptions, report: Report
) -> list[Path]:
    from depth3d.pipeline.depthmap import save_depth

    special: dict[str, dict[str, Any]] = {"facebook": {"facebook": True}}
    chosen = special.get(output.form, {"embed": output.form} if output.form in ("gdepth", "dynamic") else {})
    return save_depth(path, target, DepthMapOptions(**{**values, **chosen}), depth)[0]


_WRITERS: dict[str, Callable[..., list[Path]]] = {
    "animate": _write_animation,
    "stereo": _write_stereo,
    "mesh": _write_mesh,
    "view": _write_page,
    "depth": _write_depth,
}
TASKS = {"photo": _write}
