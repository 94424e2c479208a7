"""The render thread: rendering from any thread, several at once, after ``close`` and after ``fork``."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable

import numpy as np
import pytest

import depth3d as d3
from depth3d.errors import ContextError
from depth3d.render.context import results_ahead, run_on_render_thread
from depth3d.render.renderer import Renderer

SIZE = d3.Size(48, 32)


def scene(seed: int) -> tuple[d3.Image, d3.DepthMap]:
    random = np.random.default_rng(seed)
    depth = np.zeros((SIZE.height, SIZE.width), np.float32)
    depth[8:24, 12:30] = 1
    return d3.Image(random.integers(60, 200, (SIZE.height, SIZE.width, 3), dtype=np.uint8)), d3.DepthMap(depth)


def in_threads(*work: Callable[[], object]) -> None:
    """Run all at once; an exception of any fails the test."""
    failed: list[BaseException] = []

    def guarded(one: Callable[[], object]) -> None:
        try:
            one()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ)
    )


def test_frames_continued_in_another_thread_are_the_same() -> None:
    expected = [frame.pixels for frame in d3.render_path(*scene(1), seconds=1, fps=6)]
    frames = d3.render_path(*scene(1), seconds=1, fps=6)
    found = [next(frames).pixels]
    in_threads(lambda: found.extend(frame.pixels for frame in frames))
    assert len(found) == 6
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


def test_two_threads_rendering_at_once_get_their_own_pictures() -> None:
    expected = {seed: d3.stereo_pair(*scene(seed)).right.pixels for seed in range(4)}
    found: dict[int, list[np.ndarray]] = {seed: [] for seed in expected}  # type: ignore[type-arg]

    def draw(seed: int) -> None:
        for _ in range(5):
            found[seed].append(d3.stereo_pair(*scene(seed)).right.pixels)

    in_threads(*(lambda seed=seed: draw(seed) for seed in expected))  # type: ignore[misc]
    for seed, pictures in found.items():
        assert len(pictures) == 5
        assert all(np.array_equal(picture, expected[seed]) for picture in pictures), f"scene {seed}"


def test_many_short_lived_threads() -> None:
    # Thread numbers are used again; the context must not take a new thread for its owner.
    expected = d3.stereo_pair(*scene(0)).right.pixels
    for _ in range(10):
        found: list[d3.StereoPair] = []
        in_threads(lambda found=found: found.append(d3.stereo_pair(*scene(0))))  # type: ignore[misc]
        assert np.array_equal(found[0].right.pixels, expected)


def test_an_error_of_a_job_is_raised_in_the_calling_thread_and_the_next_job_works() -> None:
    def fail() -> None:
        raise ValueError("told")

    with pytest.raises(ValueError, match="told"):
        run_on_render_thread(fail)
    assert run_on_render_thread(lambda: threading.current_thread().name) == "depth3d-render"


def test_rendering_goes_on_after_close() -> None:
    expected = d3.stereo_pair(*scene(2)).right.pixels
    renderer = Renderer(SIZE)
    frames = d3.render_path(*scene(2), seconds=1, fps=4)
    next(frames)
    d3.close()
    assert not any(thread.name == "depth3d-render" for thread in threading.enumerate())
    next(frames)  # was drawn before, while the first one was used
    with pytest.raises(ContextError, match=r"made before depth3d.close\(\)"):
        next(frames)
    assert np.array_equal(d3.stereo_pair(*scene(2)).right.pixels, expected)
    renderer.release()  # of the closed context: nothing to free, no error
    d3.close()
    d3.close()


FORK = """
import os, time, numpy as np, depth3d as d3
def draw():
    d3.stereo_pair(d3.Image(np.full((20, 30, 3), 90, np.uint8)), d3.DepthMap(np.eye(20, 30, dtype=np.float32)))
def network():
    d3.estimate_depth(d3.Image(np.full((64, 64, 3), 90, np.uint8)), model="tiny")
def flow():
    from depth3d.depth.flow_networks import FLOW_CARDS, FlowNetwork
    from depth3d.depth.models.pwcnet import PWCNet
    still = np.full((64, 64, 3), 90, np.uint8)
    FlowNetwork(FLOW_CARDS["pwcnet"], PWCNet().eval())(still, still)
def in_child(work):
    child = os.fork()
    if child == 0:
        try:
            work()
        except d3.Depth3DError as error:
            os.write(1, f"{type(error).__name__}: {error}".encode())
            os._exit(3)
        os._exit(0)
    started = time.monotonic()
    while time.monotonic() - started < 30:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return "hangs"
"""
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@needs_fork
@pytest.mark.parametrize(
    ("before", "work", "named"),
    [
        ("draw", "draw", "the OpenGL context"),
        ("network", "network", "a network"),
        ("flow", "flow", "a network"),
        ("network", "flow", "a network"),
    ],
)
def test_a_forked_child_is_told_at_once(before: str, work: str, named: str) -> None:
    done = run(f"{FORK}\n{before}()\nprint(in_child({work}))")
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("3"), done.stdout
    assert named in done.stdout
    assert "'spawn'" in done.stdout


@needs_fork
def test_a_child_forked_before_the_first_picture_renders() -> None:
    done = run(f"{FORK}\nprint(in_child(draw))\ndraw()")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "0"


def test_a_program_may_end_with_frames_left() -> None:
    done = run(
        "import numpy as np, depth3d as d3\n"
        "image, depth = d3.Image(np.full((20, 30, 3), 90, np.uint8)), d3.DepthMap(np.eye(20, 30, dtype=np.float32))\n"
        "frames = d3.render_path(image, depth, seconds=1, fps=5)\nnext(frames)\nprint('end')"
    )
    assert (done.returncode, done.stdout.strip()) == (0, "end"), done.stderr


def test_the_next_result_is_computed_while_the_last_one_is_used() -> None:
    begun: list[int] = []
    free = threading.Event()

    def work(item: int) -> int:
        begun.append(item)
        if item == 1:
            assert free.wait(10)
        return item * item

    results = results_ahead(work, range(4))
    free.set()
    assert next(results) == 0
    run_on_render_thread(lambda: None)  # jobs run in order: the next one has been queued before this one
    assert begun == [0, 1]
    assert list(results) == [1, 4, 9]


def test_an_error_comes_at_its_place_and_results_inside_the_thread_do_not_wait() -> None:
    def work(item: int) -> int:
        return 6 // (2 - item)

    results = results_ahead(work, range(4))
    assert [next(results), next(results)] == [3, 6]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert run_on_render_thread(lambda: list(results_ahead(work, range(2)))) == [3, 6]
