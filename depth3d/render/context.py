"""The one OpenGL context of this process and the render thread that owns it.

One context per process, made on first use: two contexts in one process have aborted Python. It is current in the
render thread only; classes that use the GPU mark their methods with ``on_render_thread``. Nothing here imports torch.

Two copies of LLVM in one process crash it without a message: Mesa's software renderer contains one, and triton (which
torch imports for its compiler, as timm and torchvision do on import) contains another. Loading triton after the context
crashes; loading it before is harmless. triton is not needed on a machine that renders in software, so once such a
context exists, importing triton fails in this process as if it were not installed, and torch continues without it.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

from depth3d.errors import ContextError, InvalidInput
from depth3d.render.thread import RenderThread

__all__ = [
    "close",
    "describe_context",
    "get_context",
    "is_software",
    "on_render_thread",
    "require_opengl",
    "results_ahead",
    "run_on_render_thread",
]

P = ParamSpec("P")
Result = TypeVar("Result")
Item = TypeVar("Item")

_GL_VERSION = 330  # that of the shaders; moderngl needs as much
_CURE = (
    "On Debian or Ubuntu `apt install libegl1 libgl1 libgl1-mesa-dri` installs a software renderer;"
    " in an NVIDIA container set NVIDIA_DRIVER_CAPABILITIES=all. DEPTH3D_GL_BACKEND (egl, x11, default) and"
    " DEPTH3D_GL_DEVICE (a number) override the automatic choice; `depth3d info` shows the one in use."
)


class _Shared:
    """The context of this process, if there is one."""

    context: Any = None
    how: str = ""


def _collect() -> None:
    """Free the GPU objects that Python has collected: gc mode "context_gc" only queues them."""
    # Not context.gc(): it fails on objects that were released by hand before.
    while _Shared.context is not None and _Shared.context.objects:
        thing = _Shared.context.objects.popleft()
        if hasattr(thing, "release"):
            thing.release()


_THREAD = RenderThread(after_job=_collect)


def run_on_render_thread(function: Callable[P, Result], *arguments: P.args, **named: P.kwargs) -> Result:
    """Call ``function`` in the thread that owns the OpenGL context; return its result or raise its exception.

    Raises ``ContextError`` in a forked child of a process that has rendered.
    """
    return _THREAD.run(function, *arguments, **named)


def on_render_thread(method: Callable[P, Result]) -> Callable[P, Result]:
    """Decorate a function or method so that every call runs in the thread that owns the OpenGL context.

    For methods of objects that keep their context as ``_context``: after ``close()`` they raise ``ContextError``,
    except ``release``, which then does nothing.
    """

    @functools.wraps(method)
    def call(*arguments: P.args, **named: P.kwargs) -> Result:
        if method.__name__ == "release" and stale(arguments):
            # Without the thread: the last generators are closed when the interpreter starts no more threads.
            return None  # type: ignore[return-value]
        return _THREAD.run(checked, *arguments, **named)

    def stale(arguments: tuple[Any, ...]) -> bool:
        context = getattr(arguments[0], "_context", None) if arguments else None
        return context is not None and context is not _Shared.context

    def checked(*arguments: P.args, **named: P.kwargs) -> Result:
        if stale(arguments):
            raise ContextError(f"{type(arguments[0]).__name__} was made before depth3d.close(); make a new one")
        return method(*arguments, **named)

    return call


def results_ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield ``function(item)`` for every item, in order; the next one is computed while the caller uses the last one.

    ``function`` runs in the render thread, so that a frame is drawn while the one before it is encoded.
    """
    if _THREAD.is_current():  # a job that waited for another job would wait for ever
        yield from map(function, items)
        return
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(_THREAD.submit(function, item))
        if len(waiting) > 1:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def close() -> None:
    """Free the OpenGL context with all GPU memory and end the render thread.

    The next call that renders makes new ones. Generators of frames that were started before cannot continue: they
    raise ``ContextError``.
    """
    _THREAD.stop(_release_context)


def _close_at_exit() -> None:
    with contextlib.suppress(ContextError):  # a forked child: the context is its parent's
        close()
    _THREAD.ended = True


atexit.register(_close_at_exit)


def get_context(backend: str | None = None, device: int | None = None) -> Any:
    """Return the process-wide ``moderngl.Context``, made on the first call.

    Order of attempts: ``backend`` and ``device``; else the environment variables DEPTH3D_GL_BACKEND and
    DEPTH3D_GL_DEVICE; else EGL first on a Linux machine without a display; else the platform's default
    (GLX, WGL, CGL), with EGL after GLX.

    Must be called in the render thread (``run_on_render_thread``, ``on_render_thread``).

    Raises ``ContextError``, which lists every attempt and what to install, or when called from another thread.

    Parameters
    ----------
    backend : str | None
        "egl", "x11" or "default" (the platform's own); used on the first call only.
    device : int | None
        Number of the EGL device (not a CUDA number).
    """
    if not _THREAD.is_current():
        raise ContextError("the OpenGL context is current in the render thread only; use run_on_render_thread")
    if _Shared.context is not None:
        return _Shared.context
    failures: list[str] = []
    for name, settings in _candidates(backend, device):
        try:
            context = _create(settings)
        except Exception as error:  # glcontext raises bare Exception and whatever a driver does
            failures.append(f"{name}: {error}")
            continue
        _Shared.context, _Shared.how = context, name
        _keep_second_llvm_out(str(context.info["GL_RENDERER"]))
        return context
    raise ContextError(
        f"no OpenGL {_GL_VERSION // 100}.{_GL_VERSION % 100 // 10} context; tried {'; '.join(failures)}. {_CURE}"
    )


@on_render_thread
def require_opengl() -> int:
    """Make the context, so that a machine without OpenGL is told before any work; return its largest texture's side.

    Raises ``ContextError``.
    """
    return int(get_context().info["GL_MAX_TEXTURE_SIZE"])


def _release_context() -> None:
    _collect()
    context, _Shared.context = _Shared.context, None
    if context is not None:
        context.release()


@on_render_thread
def is_software() -> bool:
    """True if the context renders on the CPU (llvmpipe, softpipe, SwiftShader)."""
    renderer = str(get_context().info["GL_RENDERER"]).lower()
    return any(name in renderer for name in ("llvmpipe", "softpipe", "swiftshader"))


@on_render_thread
def describe_context() -> dict[str, str]:
    """Return renderer, vendor, version and how the context was made, as `depth3d info` prints them.

    Raises ``ContextError`` if no context can be made.
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
    # Objects are released later by the context, in its own thread, never by the garbage
    # collector of another one.
    context.gc_mode = "context_gc"
    return context


def _keep_second_llvm_out(renderer: str) -> None:
    if "LLVM" in renderer and "triton" not in sys.modules:
        # None is Python's own mark for "this import fails with ModuleNotFoundError".
        sys.modules["triton"] = None  # type: ignore[assignment]
