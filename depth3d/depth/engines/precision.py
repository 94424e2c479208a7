"""Decide by measurement whether a network runs in bfloat16, once for each network and machine.

bfloat16 doubles the speed of processors that support it natively. Its error depends on the weights: small for
trained vision transformers, up to 11 % of the depth range for the first layers of EfficientNet-Lite. The first
image is therefore computed in both precisions, the float32 result is returned, and the decision is stored in the
cache folder.
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

__all__ = ["LIMIT", "PrecisionProbe", "error_of", "has_bfloat16", "run_until_decided"]

LIMIT = 0.01  # largest accepted 99th percentile of the error, as a share of the depth range
_log = logging.getLogger("depth3d")

Maps = NDArray[np.float32]
Run = Callable[[NDArray[np.float32]], Maps]


class PrecisionProbe:
    """Run in bfloat16 if the first comparison with float32 allows it.

    Parameters
    ----------
    exact, quick : Run
        (N, 3, H, W) -> (N, H', W') in float32 and in bfloat16.
    key : str | None
        Identifies engine, network and weights; the decision is stored under it. None = it is not stored.
    on_decided : Callable[[bool], None]
        Called once with the decision (True = bfloat16), so that the engine can free what it no longer needs.
    """

    def __init__(self, exact: Run, quick: Run, key: str | None, on_decided: Callable[[bool], None]) -> None:
        self._exact = exact
        self._quick = quick
        self._on_decided = on_decided
        self._note = None if key is None else _note(key)
        self._verdict = self._remembered()
        if self._verdict is not None:
            on_decided(self._verdict)

    def __call__(self, inputs: NDArray[np.float32]) -> Maps:
        """Run (N, 3, H, W) -> (N, H', W'); in float32 until the decision is made."""
        if self._verdict is not None:
            return self._quick(inputs) if self._verdict else self._exact(inputs)
        exact = self._exact(inputs)
        error = error_of(self._quick(inputs), exact)
        if error is None:
            return exact  # a constant map has no range to compare with: a later image decides
        self._verdict = error < LIMIT
        _log.debug("bfloat16 differs by %.2f %% of the range: %s", error * 100, "used" if self._verdict else "not used")
        if self._note is not None:
            with contextlib.suppress(OSError):
                self._note.parent.mkdir(parents=True, exist_ok=True)
                self._note.write_text(f"{error:.6f}\n", encoding="ascii")
        self._on_decided(self._verdict)
        return exact

    @property
    def undecided(self) -> bool:
        """True until an image has decided; until then calls must not run in parallel."""
        return self._verdict is None

    def _remembered(self) -> bool | None:
        if self._note is None:
            return None
        try:
            return float(self._note.read_text(encoding="ascii")) < LIMIT
        except (OSError, ValueError):
            return None


def run_until_decided(probe: Run, run: Run, inputs: Maps) -> tuple[list[Maps], Maps]:
    """Run images one by one while ``probe`` is an undecided `PrecisionProbe`; return their maps and the inputs left."""
    found = []
    while len(inputs) and isinstance(probe, PrecisionProbe) and probe.undecided:
        found.append(run(inputs[:1]))
        inputs = inputs[1:]
    return found, inputs


def error_of(found: Maps, exact: Maps) -> float | None:
    """Return the 99th percentile of the error as a share of the exact map's range; None if that map is constant."""
    span = float(exact.max() - exact.min())
    if not span > 1e-6 * max(1.0, float(np.abs(exact).max())):
        return None
    return float(np.quantile(np.abs(found - exact), 0.99)) / span


def has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 natively (AMX or AVX512-BF16); emulated bfloat16 is slower than float32."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return False
    return any(flag in flags for flag in (" amx_bf16", " avx512_bf16"))


def _note(key: str) -> Path:
    digest = hashlib.sha256(f"{key} {platform.machine()} {platform.processor()}".encode()).hexdigest()[:16]
    return cache_folder() / "precision" / f"{digest}.txt"
