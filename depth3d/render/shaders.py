"""Loads shaders from files, with includes, ``#define`` switches and errors that name the file and line.

A shader file may contain ``#include "lib/name.glsl"`` (path from the shaders folder). Includes may be nested; each
file is included once. Switches become ``#define`` lines after ``#version``. Each included part starts with
``#line N S`` (GLSL identifies files by number), and the numbers in a driver's errors are translated back to names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from depth3d.errors import ContextError

__all__ = ["Source", "load_source", "make_program", "set_uniforms", "shader_folder"]

_INCLUDE = re.compile(r'\s*#include\s+"([^"]+)"\s*')
# Mesa "3:2(11): error", NVIDIA "0(12) : error", Apple and Intel "ERROR: 0:12: ..."
_PLACES = (re.compile(r"\b(\d+):(\d+)\((\d+)\)"), re.compile(r"\b(\d+)\((\d+)\) ?"), re.compile(r"\b(\d+):(\d+)(?=:)"))


class Source:
    """The source text passed to the driver, and the file name of each ``#line`` number."""

    def __init__(self, text: str, files: tuple[str, ...]) -> None:
        self.text = text
        self.files = files

    def explain(self, message: str) -> str:
        """The driver's message with file numbers replaced by names: ``shaders/lib/x.glsl:2: error``."""
        for pattern in _PLACES:
            if pattern.search(message):
                return pattern.sub(self._place, message)
        return message

    def _place(self, found: re.Match[str]) -> str:
        number = int(found[1])
        name = self.files[number] if number < len(self.files) else f"source {number}"
        return f"shaders/{name}:{found[2]}"


def shader_folder() -> Path:
    """Return the shaders folder: inside the installed package, or at the root of a checkout.

    Raises ``ContextError`` if neither exists.
    """
    package = Path(__file__).resolve().parents[1]
    for folder, witness in (
        (package / "shaders", package),
        (package.parent / "shaders", package.parent / "pyproject.toml"),
    ):
        if folder.is_dir() and witness.exists():
            return folder
    raise ContextError(f"the shaders folder is neither in {package} nor beside it; reinstall depth3d")


def load_source(name: str, defines: Mapping[str, object] | None = None, folder: Path | None = None) -> Source:
    """Read ``name`` from the shaders folder, expand its includes, put ``defines`` after ``#version``.

    Raises ``ContextError`` that names the file and line of an include that cannot be found.
    """
    folder = folder or shader_folder()
    files: list[str] = []
    lines = _expand(name, folder, files, f"shader {name}")
    versions = [index for index, line in enumerate(lines) if line.lstrip().startswith("#version")]
    if len(versions) != 1:
        raise ContextError(f"shaders/{name}: {len(versions)} #version lines, expected one, in the main file")
    head = lines.pop(versions[0])
    switches = [f"#define {key} {_literal(value)}" for key, value in (defines or {}).items()]
    return Source("\n".join([head, *switches, *lines]) + "\n", tuple(files))


def make_program(context: Any, vertex: str, fragment: str, defines: Mapping[str, object] | None = None) -> Any:
    """Compile and link two shader files of the shaders folder into a ``moderngl.Program``.

    Raises ``ContextError`` with the driver's message, file names and line numbers.
    """
    sources = (load_source(vertex, defines), load_source(fragment, defines))
    try:
        return context.program(vertex_shader=sources[0].text, fragment_shader=sources[1].text)
    except Exception as error:  # moderngl.Error, or any other exception raised by a driver
        message = str(error)
        blamed = sources[1] if "fragment" in message.lower() else sources[0]
        raise ContextError(f"{vertex} + {fragment}: {blamed.explain(message)}") from error


def set_uniforms(program: Any, **values: Any) -> None:
    """Set uniforms by name; arrays are written as float32 in GLSL's column order.

    Raises ``ContextError`` for a name the linked program does not have (mistyped, or unused and removed).
    """
    import moderngl
    import numpy as np

    for name, value in values.items():
        member = program.get(name, None)
        if not isinstance(member, moderngl.Uniform):
            known = ", ".join(key for key in program if isinstance(program[key], moderngl.Uniform))
            raise ContextError(f"the shader has no uniform {name!r} (it has {known})")
        if isinstance(value, np.ndarray):
            member.write(np.ascontiguousarray(value.T if value.ndim == 2 else value, dtype="f4").tobytes())
        else:
            member.value = value


def _expand(name: str, folder: Path, files: list[str], asked_by: str) -> list[str]:
    path = folder / name
    if not path.is_file():
        raise ContextError(f"{asked_by}: there is no shaders/{name}")
    number = len(files)
    files.append(name)
    lines: list[str] = [] if number == 0 else [f"#line 1 {number}"]
    for index, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        include = _INCLUDE.fullmatch(line)
        if include:
            if include[1] not in files:
                lines += _expand(include[1], folder, files, f"shaders/{name}:{index}")
            lines.append(f"#line {index + 1} {number}")
        else:
            lines.append(line)
            if number == 0 and line.lstrip().startswith("#version"):
                lines.append(f"#line {index + 1} 0")
    return lines


def _literal(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
