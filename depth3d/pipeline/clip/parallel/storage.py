"""Check that all workers see the clip and the work folder, and take the same network."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from depth3d.errors import Depth3DError, VideoError
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.parallel.runner import Runner
from depth3d.pipeline.clip.workspace import WorkFolder

__all__ = ["check_storage"]


def check_storage(job: ClipJob, work: WorkFolder, runner: Runner) -> None:
    """Check that every worker sees the clip and the work folder, can write there, and takes the same network.

    With a runner that ships, workers see neither; only their network is checked.

    Raises ``VideoError``, which names the worker and what it does not see.
    """
    if runner.ships and not job.source.is_file():
        raise VideoError(f"{job.source}: an image sequence cannot be shipped; use storage that all machines share")
    source, folder = job.source.absolute(), work.folder.absolute()
    model = None if job.matched or job.depth.depth is not None else job.depth.model
    token = f"seen-{uuid.uuid4().hex}"
    (folder / token).write_text(token, encoding="utf-8")
    try:
        ours = {**_look(source, folder, token, model), "token": token, "writes": True}
        for worker, seen in runner.everywhere(_look, source, folder, token, model).items():
            if seen == ours or (runner.ships and seen["model"] == ours["model"]):
                continue
            place = f"the worker {worker}"
            if runner.ships:
                what = _other_network(seen, ours)
            elif seen["source"] != ours["source"]:
                what = f"does not see {source} as it is here; put it on storage that all machines share, or use `ship`"
            elif seen["token"] != token:
                what = f"does not see {folder}; write to a folder (`output`) that all machines share, or use `ship`"
            elif not seen["writes"]:
                what = f"cannot write to {folder}"
            else:
                what = _other_network(seen, ours)
            raise VideoError(f"{place} {what}")
    finally:
        (folder / token).unlink(missing_ok=True)


def _other_network(seen: dict[str, Any], ours: dict[str, Any]) -> str:
    return f"would use the network {seen['model']} instead of {ours['model']}; set `model`, or fetch it there"


def _look(source: Path, folder: Path, token: str, model: str | None) -> dict[str, Any]:
    """Return what a worker sees: size of the source, content of the token file, whether it can write, its network."""
    seen: dict[str, Any] = {"source": None, "token": None, "writes": False, "model": None}
    with suppress(OSError):
        seen["source"] = source.stat().st_size if source.is_file() else 0
    with suppress(OSError):
        seen["token"] = (folder / token).read_text(encoding="utf-8")
        own = folder / f"{token}-{os.getpid()}"
        own.write_text("", encoding="utf-8")
        own.unlink()
        seen["writes"] = True
    if model is not None:
        from depth3d.depth.selection import select

        with suppress(Depth3DError):
            seen["model"] = select(model, quiet=True).card.name
    return seen
