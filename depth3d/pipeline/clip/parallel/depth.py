"""Predictions of the first pass, made in parts a little ahead of the stabilizer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from depth3d.depth.temporal.state import array_of
from depth3d.depthmap import Disparity
from depth3d.errors import VideoError
from depth3d.frames import Frame
from depth3d.image import Image, Size
from depth3d.pipeline.clip.depth_pass import SEGMENT
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.parallel.runner import Part
from depth3d.pipeline.clip.parallel.shipping import Needs, Parts
from depth3d.pipeline.clip.predict import estimator_of, predicted_frames
from depth3d.pipeline.clip.state import load_state, save_state
from depth3d.pipeline.clip.workspace import Checkpoint

__all__ = ["PredictedDepth", "in_parts"]

_KEPT = 3  # segments of predictions that are kept behind the reader


def in_parts(job: ClipJob) -> bool:
    """Return whether frames are predicted one by one; networks for clips, which see many at once, are not cut up."""
    return job.matched or estimator_of(job).card.frames == 1


class PredictedDepth:
    """Disparities of all frames, predicted in parts a little ahead of the reader.

    Parameters
    ----------
    job : ClipJob
        The clip.
    checkpoint : Checkpoint
        Of the first pass; predictions are stored in its folder until they are used.
    ticks : list[int]
        Times of all frames.
    parts : Parts
        Where the parts are handed to.
    """

    def __init__(self, job: ClipJob, checkpoint: Checkpoint, ticks: list[int], parts: Parts) -> None:
        self._job = replace(job, source=job.source.absolute())
        self._folder, self._ticks, self._parts = checkpoint.folder.absolute(), ticks, parts

    def read(self, first: int) -> Iterator[tuple[Frame, Disparity | None]]:
        """Yield every frame from number ``first`` (at the size of its disparity) with its disparity."""
        count = -(-len(self._ticks) // SEGMENT)
        ahead = 2 * self._parts.width + 2
        waiting: dict[int, Part] = {}
        handed = first // SEGMENT
        for number in range(first // SEGMENT, count):
            while handed < min(count, number + ahead):
                if not _predicted_file(self._folder, handed).is_file():
                    waiting[handed] = self._hand_out(handed)
                handed += 1
            if number in waiting:
                waiting.pop(number).result()
            path = _predicted_file(self._folder, number)
            found = _load(path)
            if found is None:  # damaged: once more
                self._hand_out(number).result()
                found = _load(path)
            if found is None:
                raise VideoError(f"{path}: a prediction cannot be read back", number * SEGMENT)
            values = iter(found["values"])
            for frame, predicted in zip(self._frames(number, found["pictures"]), found["predicted"], strict=True):
                disparity = Disparity(next(values)) if predicted else None
                if frame.index >= first:
                    yield frame, disparity
            # The last saved state may lie some frames back: a run that is stopped now starts there.
            _predicted_file(self._folder, number - _KEPT).unlink(missing_ok=True)

    def _frames(self, number: int, pictures: Any) -> Iterator[Frame]:
        for offset, picture in enumerate(pictures):
            index = number * SEGMENT + offset
            yield Frame(index, self._ticks[index] * self._job.time_base, Image(picture))

    def _hand_out(self, number: int) -> Part:
        first = number * SEGMENT
        ticks = tuple(self._ticks[first : first + SEGMENT])
        span = (self._job.container_time(ticks[0]), self._job.container_time(ticks[-1]))
        needs = Needs(((self._job.source, span),), results=self._folder)
        return self._parts.submit(_predict, self._job, number, ticks, self._folder, needs=needs)


def _predicted_file(folder: Path, number: int) -> Path:
    return folder / f"predicted-{number:06d}.npz"


def _load(path: Path) -> dict[str, Any] | None:
    def build(tree: dict[str, Any]) -> dict[str, Any]:
        values = array_of(tree["values"], np.float32, (None, None, None))
        predicted = array_of(tree["predicted"], np.bool_, (None,))
        if np.count_nonzero(predicted) != len(values):
            raise ValueError("disparities are missing")
        pictures = array_of(tree["pictures"], np.uint8, (len(predicted), *values.shape[1:], 3))
        return {"values": values, "pictures": pictures, "predicted": predicted}

    return load_state(path, build)


def _predict(job: ClipJob, number: int, ticks: tuple[int, ...], folder: Path) -> int:
    """Predict one segment of the first pass and store disparities and pictures at their size; return the count."""
    first = number * SEGMENT
    time = ticks[0] * job.time_base if first else None
    frames = islice(job.frames(index=first, time=time, seen=True, both_eyes=True), len(ticks))
    values: list[Any] = []
    pictures, predicted = [], []
    for frame, disparity in predicted_frames(frames, job):
        if round(frame.time / job.time_base) != ticks[frame.index - first]:
            raise VideoError(
                f"{job.source}: a frame has another time than before; the file may have changed", frame.index
            )
        predicted.append(disparity is not None)
        if disparity is not None:
            values.append(disparity.values)
        # The first frame of a part always has a disparity.
        size = Size(values[0].shape[1], values[0].shape[0])
        pictures.append(frame.guide.resized(size).eight_bit().pixels)
    if len(pictures) != len(ticks):
        raise VideoError(f"{job.source}: ends before its last frame", first + len(pictures))
    tree = {"values": np.stack(values), "pictures": np.stack(pictures), "predicted": np.array(predicted)}
    save_state(_predicted_file(folder, number), tree)
    return len(pictures)
