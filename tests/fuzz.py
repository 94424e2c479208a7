"""Fuzzing: damaged pictures, clips and text files, and calls with random arguments; each gives a value or one error.

``python tests/fuzz.py --pictures 4000 --clips 1300 --texts 400 --calls 500 --seed 7`` runs as many cases of each kind
in child processes, and prints and counts: escapes (other exceptions than ``Depth3DError``, and crashes), cases that
took more than 2 GB, and cases that took more than a minute. Their files stay in ``--keep FOLDER``. The exit code is 1
if there are any. ``--seconds 60`` tries the four kinds for a quarter of that time each, after their preparation.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE / "io")]

MOST_KILOBYTES = 2 << 20
SECONDS = 60.0
START_SECONDS = 300.0
KINDS = ("pictures", "clips", "texts", "calls")

Totals = dict[str, int]
Case = Callable[[random.Random], None]


def pictures(folder: Path) -> Case:
    """Damaged photos, depth maps and stereo files, read by every reader."""
    from mutants import mutant
    from test_untrusted import everything, seeds

    files = seeds(folder)

    def case(chance: random.Random) -> None:
        name, data = chance.choice(files)
        changed = mutant(data, chance)
        (folder / f"case-{name}").write_bytes(changed)
        everything(changed, name)

    return case


def clips(folder: Path) -> Case:
    """Damaged clips in many containers, planned and decoded as a conversion does."""
    from mutants import mutant
    from test_mutants import clip_seeds, read_clip

    files = clip_seeds(folder)

    def case(chance: random.Random) -> None:
        name, data = chance.choice(files)
        path = folder / f"case-{name}"
        path.write_bytes(mutant(data, chance))
        read_clip(path)

    return case


def texts(folder: Path) -> Case:
    """Damaged keyframes, shot lists, settings and hints."""
    from mutants import text_mutant
    from test_mutants import TEXTS, read_text

    def case(chance: random.Random) -> None:
        kind = chance.choice(list(TEXTS))
        path = folder / f"case.{kind}.{'toml' if kind in ('shots', 'config') else 'json'}"
        path.write_bytes(text_mutant(TEXTS[kind][0], chance))
        read_text(path)

    return case


def calls(folder: Path) -> Case:
    """Public functions and classes with good, odd and missing values."""
    import numpy as np
    from clips import make_clip

    import depth3d

    gray = np.linspace(0, 1, 48 * 64, dtype=np.float32).reshape(48, 64)
    image = depth3d.Image(np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8))
    depth = depth3d.DepthMap(gray)
    depth3d.save_image(image, folder / "a.png")
    depth3d.write_depth(depth, folder / "a_depth.png")
    make_clip(folder / "a.mp4", count=6)
    os.chdir(folder)
    pair, disparity = depth3d.StereoPair(image, image), depth3d.Disparity(gray)
    good: list[Any] = [image, depth, disparity, pair, gray, image.pixels, depth3d.Size(40, 30), depth3d.Camera()]
    good += ["a.png", "a_depth.png", "a.mp4", "out.png", "out.mp4", "tiny", "sbs", "mpo", "circle", "dis"]
    good += [0.5, 1, 2.0, True, None, depth3d.StereoOptions(), depth3d.AnimateOptions(seconds=0.5)]
    odd: list[Any] = [-1, 0, 1e308, -1e-300, float("nan"), float("inf"), 2**70, 1j, Fraction(1, 10**9)]
    odd += ["", "x", "\0", "\udcff", b"", b"\x89PNG", "nosuch.png", Path("/dev/null"), "a" * 300 + ".png", "hf:x"]
    odd += [[], {}, (), (1, 2, 3), object(), lambda: None, type, [image], [gray, "x"]]
    odd += [np.zeros((0, 0)), np.zeros((2, 2, 2, 2)), np.full((4, 4), np.nan), np.array("x"), np.array([None])]
    odd += [gray.T > 2, image.pixels.astype(np.int64) - 300, np.float32("nan"), np.int8(-3)]
    names = [
        name
        for name in depth3d.__all__
        if callable(getattr(depth3d, name))
        and name not in ("close", "register")
        and not name.endswith("Error")
        and not name.startswith("Invalid")
    ]
    by_name = {"image": image, "depth": depth, "pair": pair, "photo": "a.png", "path": "a.png", "source": "a.png"}
    by_name |= {"model": "tiny", "left": image, "right": image, "images": [image], "frames": [image] * 3}
    by_name |= {"input": "a.mp4", "disparities": [disparity] * 3, "values": gray, "pixels": image.pixels}

    def case(chance: random.Random) -> None:
        name = chance.choice(names)
        function = getattr(depth3d, name)
        values: dict[str, Any] = {}
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD or parameter.name == "serve":
                continue
            needed = parameter.default is parameter.empty
            dice = chance.random()
            if parameter.name in by_name and dice < 0.6:
                values[parameter.name] = by_name[parameter.name]
            elif needed or dice < 0.3:
                values[parameter.name] = chance.choice(good if dice < 0.15 or chance.random() < 0.4 else odd)
        (folder / "case.txt").write_text(f"{name}({values!r})", "utf-8", "replace")
        with contextlib.suppress(OverflowError if name == "Size" else ()):
            made = function(**values)
            if inspect.isgenerator(made):
                list(islice(made, 2))

    return case


def child(kind: str, seed: int, start: int, count: int, folder: Path) -> None:
    """Run cases and print a line for each: number, outcome, seconds, kilobytes."""
    import memory

    from depth3d.errors import Depth3DError

    case: Case = globals()[kind](folder)
    print("ready", flush=True)
    for number in range(start, start + count):
        before, began, outcome = memory.reset_peak(), time.monotonic(), "value"
        try:
            case(random.Random(f"{seed} {kind} {number}"))
        except Depth3DError:
            outcome = "error"
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            outcome = (
                f"ESCAPE {type(error).__name__} {' '.join(str(error).split())[:150]} ({frame.filename}:{frame.lineno})"
            )
        grown = memory.peak() - before
        print(f"{number}\t{outcome}\t{time.monotonic() - began:.1f}\t{grown}", flush=True)
        if outcome.startswith("ESCAPE") or grown > MOST_KILOBYTES:
            sys.stdin.readline()  # the parent keeps the case's files first


class Budget:
    """Time for the cases of one kind, seconds; it runs while a child is ready. 0 = no limit."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds or float("inf")
        self._since: float | None = None

    def begin(self) -> None:
        self._since = time.monotonic()

    def spent(self) -> bool:
        return self._since is not None and time.monotonic() - self._since >= self.left

    def end(self) -> None:
        if self._since is not None:
            self.left -= time.monotonic() - self._since
            self._since = None


def run(kind: str, seed: int, count: int, keep: Path | None, seconds: float = 0) -> tuple[dict[str, int], list[str]]:
    """Run ``count`` cases of one kind, or fewer in the given time, in a new process after each crash or hang."""
    totals = {"cases": 0, "values": 0, "errors": 0, "escapes": 0, "over 2 GB": 0, "hangs": 0}
    told: list[str] = []
    start, budget = 0, Budget(seconds)
    while start < count and budget.left > 0:
        with tempfile.TemporaryDirectory() as place:
            start += _batch(kind, seed, start, count - start, Path(place), totals, told, keep, budget)
        budget.end()
    return totals, told


def _batch(
    kind: str,
    seed: int,
    start: int,
    count: int,
    folder: Path,
    totals: dict[str, int],
    told: list[str],
    keep: Path | None,
    budget: Budget,
) -> int:
    """Run one child until it ends, crashes, hangs or its time is up; return the number of finished cases."""
    words = [sys.executable, __file__, "--child", kind, str(seed), str(start), str(count), str(folder)]
    with open(folder / "stderr.txt", "wb") as errors:
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace"
        )
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in process.stdout or ():
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    done, limit = 0, START_SECONDS
    while True:
        try:
            line = lines.get(timeout=limit)
        except queue.Empty:
            process.kill()
            line, kept = None, "HANG"
        else:
            kept = f"CRASH {process.wait()}" if line is None and done < count else ""
        if line is None:
            process.wait()
            if not kept:
                return done
            if limit == START_SECONDS and not done:
                raise SystemExit(
                    f"{kind}: the child did not start: {(folder / 'stderr.txt').read_text('utf-8', 'replace')}"
                )
            totals["cases"] += 1
            totals["hangs" if kept == "HANG" else "escapes"] += 1
            _tell(kind, seed, start + done, kept, folder, told, keep)
            return done + 1
        if line.strip() == "ready":
            limit = SECONDS
            budget.begin()
            continue
        fields = line.rstrip("\n").split("\t")
        if len(fields) != 4 or not fields[0].isdigit():
            continue  # a library printed something
        done += 1
        if _count(kind, seed, fields, folder, totals, told, keep) and process.stdin is not None:
            process.stdin.write("\n")
            process.stdin.flush()
        if budget.spent():
            process.kill()
            process.wait()
            return done


def _count(
    kind: str, seed: int, fields: list[str], folder: Path, totals: dict[str, int], told: list[str], keep: Path | None
) -> bool:
    """Count one case; return True if it failed and its files were kept."""
    number, outcome, seconds, kilobytes = fields
    totals["cases"] += 1
    escaped, large = outcome.startswith("ESCAPE"), int(kilobytes) > MOST_KILOBYTES
    totals["escapes" if escaped else f"{outcome}s"] += 1
    totals["over 2 GB"] += large
    if escaped or large:
        _tell(kind, seed, int(number), f"{outcome} {seconds} s {int(kilobytes) >> 10} MB", folder, told, keep)
    return escaped or large


def _tell(kind: str, seed: int, number: int, what: str, folder: Path, told: list[str], keep: Path | None) -> None:
    line = f"{kind} seed {seed} case {number}: {what}"
    if (folder / "case.txt").exists():
        line += f": {(folder / 'case.txt').read_text('utf-8', 'replace')[:300]}"
    told.append(line)
    print(line, flush=True)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("case*"):
            (keep / f"{kind}-{seed}-{number}-{path.name}").write_bytes(path.read_bytes())


def main() -> None:
    """Run the kinds that are asked for and print one line of counts for each."""
    if sys.argv[1:2] == ["--child"]:
        kind, seed, start, count, folder = sys.argv[2:]
        child(kind, int(seed), int(start), int(count), Path(folder))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    for kind in KINDS:
        parser.add_argument(f"--{kind}", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--seconds", type=float, default=0, metavar="S", help="all kinds, a quarter of the time each")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    wanted = parser.parse_args()
    bad = 0
    for kind in KINDS:
        count = getattr(wanted, kind) or (10**9 if wanted.seconds else 0)
        if count:
            totals, told = run(kind, wanted.seed, count, wanted.keep, wanted.seconds / len(KINDS))
            print(
                f"{kind}, seed {wanted.seed}: " + ", ".join(f"{number} {name}" for name, number in totals.items()),
                flush=True,
            )
            bad += len(told)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
