"""One context per process, in any order with torch; errors that say what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from depth3d.errors import ContextError
from depth3d.render.context import describe_context, get_context, run_on_render_thread
from depth3d.render.shaders import shader_folder

DRAW = """
import numpy as np, depth3d as d3
def draw():
    pair = d3.stereo_pair(d3.Image(np.full((20, 30, 3), 90, np.uint8)), d3.DepthMap(np.eye(20, 30, dtype=np.float32)))
    assert pair.right.pixels.shape == (20, 30, 3)
"""
NETWORK = """
def network():
    import torch, torch._dynamo, torch._inductor
    torch.use_deterministic_algorithms(True)
    try:
        import triton
    except ImportError:
        pass
"""


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )


@pytest.mark.parametrize("order", ["draw(); network(); draw()", "network(); draw(); network()"])
def test_drawing_and_networks_in_any_order(order: str) -> None:
    done = run(DRAW + NETWORK + order)
    assert done.returncode == 0, done.stderr


def test_drawing_loads_no_torch() -> None:
    done = run(DRAW + "draw()\nimport sys\nassert 'torch' not in sys.modules and 'timm' not in sys.modules")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Mesa's overrides")
def test_opengl_3_3_draws_the_same_pictures(tmp_path: Path) -> None:
    """Every renderer with every shader file, in a context of 3.3 without its extension for reading four texels."""
    script = Path(__file__).with_name("oldest_opengl.py")
    oldest = {
        "MESA_GL_VERSION_OVERRIDE": "3.3",
        "MESA_GLSL_VERSION_OVERRIDE": "330",
        "MESA_EXTENSION_OVERRIDE": "-GL_ARB_texture_gather",
    }
    for name, overrides in (("own", {}), ("oldest", oldest)):
        environment = {**os.environ, **overrides}
        subprocess.run([sys.executable, script, tmp_path / f"{name}.npz"], check=True, env=environment)
    own, other = (np.load(tmp_path / f"{name}.npz") for name in ("own", "oldest"))
    if not str(other["version"]).startswith("3.3"):
        pytest.skip(f"this driver ignores Mesa's overrides: {other['version']}")
    folder = shader_folder()
    assert set(other["shaders"]) == {str(path.relative_to(folder)) for path in folder.rglob("*.glsl")}
    assert set(own.files) == set(other.files)
    for name in set(own.files) - {"version", "shaders"}:
        assert np.array_equal(own[name], other[name]), name


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Mesa's overrides")
def test_opengl_3_2_is_refused() -> None:
    code = (
        "import depth3d\ntry:\n    depth3d.render.context.require_opengl()\n"
        "except depth3d.ContextError as error:\n    print(error)"
    )
    said = run(
        "import depth3d.render.context\n" + code, MESA_GL_VERSION_OVERRIDE="3.2", MESA_GLSL_VERSION_OVERRIDE="150"
    ).stdout
    assert not said or "no OpenGL 3.3 context" in said  # nothing: a driver that ignores Mesa's overrides


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL device numbers")
def test_no_context_lists_every_try_and_the_cure() -> None:
    code = (
        "from depth3d.render.context import describe_context\nfrom depth3d.errors import ContextError\n"
        "try:\n    describe_context()\nexcept ContextError as error:\n    print(error)"
    )
    said = run(code, DEPTH3D_GL_DEVICE="99", DISPLAY="").stdout
    assert "EGL device 99:" in said
    assert "the platform's default:" in said
    assert "apt install" in said


def test_the_context_is_refused_outside_the_render_thread() -> None:
    assert run_on_render_thread(get_context) is run_on_render_thread(get_context)
    with pytest.raises(ContextError, match="render thread only"):
        get_context()


def test_description_names_the_renderer() -> None:
    assert describe_context()["renderer"]
