"""The one OpenGL context of this process.

One context per process, made on first use, used from the thread that made it: two contexts in one
process have aborted Python, and a context is current in one thread only. Nothing here imports torch.

Two LLVMs in one process end in a silent crash: Mesa's software renderer holds one, triton (which torch
imports for its compiler, as timm and torchvision do on import) holds another, and loading triton after
the context is fatal; before it is harmless. triton is of no use on a machine that renders in software,
so once such a context exists, triton counts as not installed in this process and torch goes on without.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

from depth3d.errors import ContextError, InvalidInput

__all__ = ["describe_context", "get_context", "is_software", "release_context"]

_GL_VERSION = 410  # what macOS offers at most
_CURE = (
    "On Debian or Ubuntu `apt install libegl1 libgl1 libgl1-mesa-dri` brings a software renderer that works at once;"
    " in an NVIDIA container set NVIDIA_DRIVER_CAPABILITIES=all. DEPTH3D_GL_BACKEND (egl, x11, default) and"
    " DEPTH3D_GL_DEVICE (a number) choose by hand; `depth3d info` shows what is in use."
)


class _Shared:
    """What this process has made so far."""

    context: Any = None
    thread: int = 0
    process: int = 0
    how: str = ""


def get_context(backend: str | None = None, device: int | None = None) -> Any:
    """Return the process-wide ``moderngl.Context``, made on the first call.

    Order of tries: ``backend`` and ``device``, else the environment's DEPTH3D_GL_BACKEND and
    DEPTH3D_GL_DEVICE, else EGL first on a Linux machine without a display, else the platform's own
    (GLX, WGL, CGL), with EGL after GLX.

    Raises ``ContextError`` that lists every try and the cure, or when called from another thread
    or in a forked child of the process that made the context.

    Parameters
    ----------
    backend : str | None
        "egl", "x11" or "default" (the platform's own); only looked at on the first call.
    device : int | None
        Number of the EGL device (not a CUDA number).
    """
    if _Shared.context is not None:
        _refuse_strangers()
        return _Shared.context
    failures: list[str] = []
    for name, settings in _candidates(backend, device):
        try:
            context = _create(settings)
        except Exception as error:  # glcontext raises bare Exception and whatever a driver does
            failures.append(f"{name}: {error}")
            continue
        _Shared.context, _Shared.how = context, name
        _Shared.thread, _Shared.process = threading.get_ident(), os.getpid()
        _keep_second_llvm_out(str(context.info["GL_RENDERER"]))
        return context
    raise ContextError(
        f"no OpenGL {_GL_VERSION // 100}.{_GL_VERSION % 100 // 10} context; tried {'; '.join(failures)}. {_CURE}"
    )


def release_context() -> None:
    """Give the context back, if there is one; the next ``get_context`` makes another."""
    if _Shared.context is not None:
        _refuse_strangers()
        _Shared.context.release()
        _Shared.context = None


def is_software() -> bool:
    """True if the context renders on the CPU (llvmpipe, softpipe, SwiftShader)."""
    renderer = str(get_context().info["GL_RENDERER"]).lower()
    return any(name in renderer for name in ("llvmpipe", "softpipe", "swiftshader"))


def describe_context() -> dict[str, str]:
    """What `depth3d info` shows: renderer, vendor, version, how the context was made.

    Raises ``ContextError`` where none can be made.
    """
    info = get_context().info
    described = {
        name.removeprefix("GL_").lower(): str(info[name]) for name in ("GL_RENDERER", "GL_VENDOR", "GL_VERSION")
    }
    return {**described, "backend": _Shared.how, "software": "yes" if is_software() else "no"}


def _candidates(backend: str | None, device: int | None) -> list[tuple[str, dict[str, Any]]]:
    backend = backend or os.environ.get("DEPTH3D_GL_BACKEND") or None
    if device is None and os.environ.get("DEPTH3D_GL_DEVICE"):
        number = os.environ["DEPTH3D_GL_DEVICE"]
        if not number.isdigit():
            raise InvalidInput(f"DEPTH3D_GL_DEVICE is {number!r}, expected a number")
        device = int(number)
    egl: tuple[str, dict[str, Any]] = ("EGL", {"backend": "egl"})
    if device is not None:
        egl = (f"EGL device {device}", {"backend": "egl", "device_index": device})
    own: tuple[str, dict[str, Any]] = ("the platform's default", {})
    if backend is not None:
        named = {"egl": egl, "default": own, "x11": own}
        if backend not in named:
            raise InvalidInput(f"GL backend {backend!r}: expected one of {', '.join(named)}")
        return [named[backend]]
    if not sys.platform.startswith("linux"):
        return [own]
    headless = device is not None or not os.environ.get("DISPLAY")
    return [egl, own] if headless else [own, egl]


def _create(settings: dict[str, Any]) -> Any:
    import moderngl

    context = moderngl.create_context(standalone=True, require=_GL_VERSION, **settings)
    # Objects are released when the context gets round to it, in its own thread, never by the garbage
    # collector of another one.
    context.gc_mode = "context_gc"
    return context


def _refuse_strangers() -> None:
    if os.getpid() != _Shared.process:
        raise ContextError(
            "the OpenGL context belongs to the parent process; start workers with multiprocessing's"
            " 'spawn' instead of 'fork'"
        )
    if threading.get_ident() != _Shared.thread:
        raise ContextError("the OpenGL context belongs to another thread; render from the thread that rendered first")


def _keep_second_llvm_out(renderer: str) -> None:
    if "LLVM" in renderer and "triton" not in sys.modules:
        # None is Python's own mark for "this import fails with ModuleNotFoundError".
        sys.modules["triton"] = None  # type: ignore[assignment]
