"""One context per process, in any order with torch; errors that say what to do."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from depth3d.errors import ContextError
from depth3d.render.context import describe_context, get_context, run_on_render_thread

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
def test_shaders_compile_as_on_macos() -> None:
    done = run(DRAW + "draw()", MESA_GL_VERSION_OVERRIDE="4.1", MESA_GLSL_VERSION_OVERRIDE="410")
    assert done.returncode == 0, done.stderr


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
