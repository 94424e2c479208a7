"""Disparity of the frames of a clip: from a network, in batches, or matched between the two eyes of a stereo clip."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from depth3d.depthmap import Disparity
from depth3d.frames import Frame
from depth3d.pipeline.clip.eyes import unpack_eyes
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.panorama import for_network, from_network
from depth3d.pipeline.clip.threads import on_frame

if TYPE_CHECKING:
    from depth3d.depth.estimator import Estimator

__all__ = ["BATCH", "estimator_of", "predict_frame", "predicted_frames"]

log = logging.getLogger("depth3d")

# Frames per network call and per choice of `depth_every`. Checkpoints are between batches: a resumed run has the same.
BATCH = 4
# Frames. Longer clips are worth the import of torch, 2 s, to see whether there is a GPU.
SHORT = 200
MATCHED_WIDTH = 640  # px; the eyes of stereo clips are matched at this width


def predict_frame(job: ClipJob, frame: Frame) -> Disparity:
    """Return the disparity of one frame without temporal stabilization, for plans and previews."""
    from depth3d.depth.estimator import predict_disparity

    if job.matched:
        matched = _matched(frame, job)
        return matched if job.bars is None else Disparity(job.whole(matched.values, frame.time))
    options = job.depth
    (disparity,) = predict_disparity(
        [for_network(job.left_inner(frame).guide, job.sphere)],
        options.model,
        device=options.device,
        engine=options.engine,
        threads=options.threads,
        precision=options.precision,
    )
    if job.bars is not None:
        return Disparity(job.whole(disparity.values, frame.time))
    return from_network(disparity, job.sphere)


def estimator_of(job: ClipJob) -> Estimator:
    """Return the network of the job's options; kept in memory between calls."""
    from depth3d.depth.estimator import open_estimator

    options = job.depth
    return open_estimator(
        options.model,
        device=options.device,
        engine="torch" if options.engine == "auto" and _has_gpu(job) else options.engine,
        threads=options.threads,
        precision=options.precision,
        quiet=True,
        many=True,
    )


def _has_gpu(job: ClipJob) -> bool:
    """Whether the clip is long enough to ask for a GPU, and torch finds one."""
    if job.depth.device != "auto" or 0 < job.frames_about <= SHORT:
        return False
    from depth3d.depth.engines.torch import choose_device

    return choose_device("auto").type != "cpu"


def _matched(frame: Frame, job: ClipJob) -> Disparity:
    """Return the disparity of the left eye, matched between the two eyes in a frame."""
    from depth3d.depth.stereo.match import stereo_disparity

    if job.eyes is None:
        raise ValueError("a flat clip has no eyes to match")
    pair = unpack_eyes(frame.guide, job.eyes, None if job.bars is None else job.info.size)
    left, right = (job.inner(replace(frame, image=eye, seen=None)).image for eye in (pair.left, pair.right))
    small = left.size.fit(MATCHED_WIDTH)
    return stereo_disparity(left.resized(small), right.resized(small), job.depth.matcher).disparity


def predicted_frames(frames: Iterable[Frame], job: ClipJob) -> Iterator[tuple[Frame, Disparity | None]]:
    """Yield each frame, without black bars, with its disparity; whole frames of stereo clips come back as left eyes.

    With ``depth_every``, frames whose depth follows the motion have none.
    """
    if job.matched:
        for frame in frames:
            with on_frame(frame.index, "match"):
                disparity = _matched(frame, job)
            yield job.left_inner(frame), disparity
        return
    from depth3d.depth.temporal.protocol import open_filter
    from depth3d.depth.temporal.rate import frames_to_predict

    options, estimator = job.depth, estimator_of(job)
    if estimator.card.frames > 1:  # `WindowedDepth` runs it
        if job.stabilize.depth_every != 1:
            log.warning("`depth_every` does not apply to %s, which sees all frames", estimator.card.name)
        unused = Disparity(np.zeros((1, 1), np.float32))
        yield from ((job.left_inner(frame), unused) for frame in frames)
        return
    batch: list[Frame] = []
    every = 1 if open_filter(job.stabilize).needs_all else job.stabilize.depth_every

    def run() -> Iterator[tuple[Frame, Disparity | None]]:
        with on_frame(batch[0].index, "predict"):
            wanted = frames_to_predict([frame.guide for frame in batch], batch[0].index, every)
            pictures = [frame.guide for frame, chosen in zip(batch, wanted, strict=True) if chosen]
            found = iter(estimator.predict([for_network(picture, job.sphere) for picture in pictures]))
        sign = -1 if options.invert_depth else 1
        for frame, chosen in zip(batch, wanted, strict=True):
            disparity = from_network(next(found), job.sphere) if chosen else None
            yield frame, Disparity(-disparity.values) if disparity is not None and sign < 0 else disparity
        batch.clear()

    for frame in map(job.left_inner, frames):
        batch.append(frame)
        if frame.index % BATCH == BATCH - 1:
            yield from run()
    if batch:
        yield from run()
