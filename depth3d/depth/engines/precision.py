"""Half the digits where that does no harm: decided by trying, once for each network and machine.

bfloat16 doubles the speed of processors that have it. What it costs in depth depends on the weights: trained
vision transformers lose little, the first layers of EfficientNet-Lite up to 11 % of the range. So the first
picture is done both ways, the exact result is given out, and the verdict is remembered beside the weights.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.weights import cache_folder

__all__ = ["LIMIT", "Trial", "decide", "error_of", "has_bfloat16"]

LIMIT = 0.01  # of the range of depth; 99 of 100 pixels have to be better
_log = logging.getLogger("depth3d")

Maps = NDArray[np.float32]
Run = Callable[[NDArray[np.float32]], Maps]


class Trial:
    """Runs in bfloat16 if a comparison with float32 allows it.

    Parameters
    ----------
    exact, quick : Run
        (N, 3, H, W) -> (N, H', W') in float32 and in bfloat16.
    who : str | None
        Engine, network and weights: what the verdict holds for. None = it is not remembered.
    settled : Callable[[bool], None]
        Called with the verdict once it is known, so that the engine can drop what it no longer needs.
    """

    def __init__(self, exact: Run, quick: Run, who: str | None, settled: Callable[[bool], None]) -> None:
        self._exact = exact
        self._quick = quick
        self._settled = settled
        self._note = None if who is None else _note(who)
        self._verdict = self._remembered()
        if self._verdict is not None:
            settled(self._verdict)

    def __call__(self, inputs: NDArray[np.float32]) -> Maps:
        """The maps; exact ones as long as the verdict is open."""
        if self._verdict is not None:
            return self._quick(inputs) if self._verdict else self._exact(inputs)
        exact = self._exact(inputs)
        error = error_of(self._quick(inputs), exact)
        if error is None:
            return exact  # a flat map decides nothing
        self._verdict = error < LIMIT
        _log.debug("bfloat16 differs by %.2f %% of the range: %s", error * 100, "used" if self._verdict else "not used")
        if self._note is not None:
            with contextlib.suppress(OSError):
                self._note.parent.mkdir(parents=True, exist_ok=True)
                self._note.write_text(f"{error:.6f}\n", encoding="ascii")
        self._settled(self._verdict)
        return exact

    @property
    def undecided(self) -> bool:
        """True as long as no picture has told; until then calls must come one after another."""
        return self._verdict is None

    def _remembered(self) -> bool | None:
        if self._note is None:
            return None
        try:
            return float(self._note.read_text(encoding="ascii")) < LIMIT
        except (OSError, ValueError):
            return None


def decide(trial: Run, run: Run, inputs: Maps) -> tuple[list[Maps], Maps]:
    """The pictures ``run`` one by one until ``trial``, if it is one, is decided: their maps; and the pictures left."""
    found = []
    while len(inputs) and isinstance(trial, Trial) and trial.undecided:
        found.append(run(inputs[:1]))
        inputs = inputs[1:]
    return found, inputs


def error_of(found: Maps, exact: Maps) -> float | None:
    """The 99th percentile of the error, in units of the exact map's range; None if that map is flat."""
    span = float(exact.max() - exact.min())
    if not span > 1e-6 * max(1.0, float(np.abs(exact).max())):
        return None
    return float(np.quantile(np.abs(found - exact), 0.99)) / span


def has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 natively (AMX or AVX512-BF16; elsewhere it is emulated, and slow)."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return False
    return any(flag in flags for flag in (" amx_bf16", " avx512_bf16"))


def _note(who: str) -> Path:
    key = hashlib.sha256(f"{who} {platform.machine()} {platform.processor()}".encode()).hexdigest()[:16]
    return cache_folder() / "precision" / f"{key}.txt"
