"""The shader loader: includes, switches, and errors that name file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from depth3d.errors import ContextError
from depth3d.render.context import get_context, run_on_render_thread
from depth3d.render.shaders import load_source, make_program, set_uniforms


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/a.glsl").write_text('#include "lib/b.glsl"\nfloat a() { return b(); }\n')
    (tmp_path / "lib/b.glsl").write_text("float b() { return 1.0; }\n")
    (tmp_path / "main.glsl").write_text('// what\n#version 330 core\n#include "lib/a.glsl"\n#include "lib/b.glsl"\nx\n')
    return tmp_path


def test_includes_nest_and_come_in_once(folder: Path) -> None:
    source = load_source("main.glsl", {"SAMPLES": 4, "FAST": True}, folder)
    assert source.text.count("float b()") == 1
    assert source.text.index("float b()") < source.text.index("float a()")
    assert source.text.startswith("#version 330 core\n#define SAMPLES 4\n#define FAST 1\n")
    assert source.files == ("main.glsl", "lib/a.glsl", "lib/b.glsl")


@pytest.mark.parametrize("message", ["2:1(11): error: no", "2(1) : error C0000: no", "ERROR: 2:1: no"])
def test_errors_name_the_file_whatever_the_driver(folder: Path, message: str) -> None:
    assert "shaders/lib/b.glsl:1" in load_source("main.glsl", folder=folder).explain(message)


def test_a_missing_include_names_who_asked(folder: Path) -> None:
    (folder / "lib/a.glsl").write_text('\n#include "lib/none.glsl"\n')
    with pytest.raises(ContextError, match=r"shaders/lib/a.glsl:2: there is no shaders/lib/none.glsl"):
        load_source("main.glsl", folder=folder)


def compiled(vertex: str, fragment: str) -> Any:
    return run_on_render_thread(lambda: make_program(get_context(), vertex, fragment))


def test_the_driver_blames_the_right_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "v.glsl").write_text(
        '#version 330 core\n#include "lib/b.glsl"\nvoid main() { gl_Position = vec4(b()); }\n'
    )
    (folder / "f.glsl").write_text("#version 330 core\nout vec4 c;\n\nvoid main() { c = nothing; }\n")
    monkeypatch.setattr("depth3d.render.shaders.shader_folder", lambda: folder)
    with pytest.raises(ContextError, match=r"shaders/f.glsl:4"):
        compiled("v.glsl", "f.glsl")
    (folder / "f.glsl").write_text("#version 330 core\nout vec4 c;\nvoid main() { c = vec4(1.0); }\n")
    (folder / "lib/b.glsl").write_text("\nfloat b() { return missing; }\n")
    with pytest.raises(ContextError, match=r"shaders/lib/b.glsl:2"):
        compiled("v.glsl", "f.glsl")


def test_mistyped_uniforms_are_told() -> None:
    program = compiled("mesh.vert.glsl", "mesh.frag.glsl")
    with pytest.raises(ContextError, match="no uniform 'pictre'"):
        set_uniforms(program, pictre=0)
