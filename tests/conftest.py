"""Shared fixtures: the developers' data folder, one thread for torch, a clean cache."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Two OpenMP threads on busy cores can be thirty times slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A test run in the background of a shell ignores Ctrl-C, and every program that it starts would, too.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# On a busy machine an example may take any time; pytest-timeout guards against real hangs.
settings.register_profile("depth3d", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("depth3d")

_SHARED = Path(os.environ.get("DEPTH3D_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The developers' data folder (pictures, clips, golden outputs); tests skip where it is missing."""
    if not _SHARED.is_dir():
        pytest.skip(f"needs the developers' data folder {_SHARED} (set DEPTH3D_SHARED)")
    return _SHARED


@pytest.fixture(scope="session")
def golden_packs() -> Path:
    """One folder for each family of networks: recipe of weights, official outputs (see tests/data/README.md)."""
    return Path(__file__).parent / "data" / "golden"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's own cache of weights, and none reaches out to the network."""
    monkeypatch.setenv("DEPTH3D_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("DEPTH3D_OFFLINE", "1")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Captured text may hold file names of any bytes, which a report cannot carry to another process."""
    report: pytest.TestReport = yield  # type: ignore[misc]
    report.sections = [(name, text.encode("utf-8", "replace").decode()) for name, text in report.sections]
    return report  # type: ignore[return-value]
