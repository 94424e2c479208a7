"""Output files: whole or not at all, never replaced without ``force``, leftovers of killed runs deleted."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from depth3d.errors import ExistsError, InvalidOption, WriteError
from depth3d.io import atomic, leftovers
from depth3d.io.atomic import atomic_path, refuse_existing
from depth3d.io.leftovers import process_mark, remove_leftovers, temporary_folder

CHILD = """
import sys, time
from pathlib import Path
from depth3d.errors import ExistsError
from depth3d.io.atomic import atomic_path, refuse_existing
target, number = Path(sys.argv[1]), sys.argv[2]
try:
    with atomic_path(target) as temporary:
        temporary.write_text(number)
        print("ready", flush=True)
        sys.stdin.readline()
except ExistsError as error:
    print("refused", error, flush=True)
    sys.exit(1)
print("written", flush=True)
"""


def start(target: Path, number: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(target), str(number)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_of_eight_runs_at_once_exactly_one_succeeds(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    runs = [start(target, number) for number in range(8)]
    for run in runs:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"  # all have passed the check before the work
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("\n")
        run.stdin.flush()
    said = [run.communicate()[0] for run in runs]
    codes = [run.returncode for run in runs]
    assert sorted(codes) == [0] + 7 * [1], said
    assert sum("refused" in text and "out.png" in text for text in said) == 7
    assert target.read_text() == str(codes.index(0))
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_written_meanwhile_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    if not links:
        monkeypatch.setattr(atomic.os, "link", refused)
    target = tmp_path / "out.png"

    def write_what_appears_meanwhile() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("mine")
            target.write_text("theirs")

    with pytest.raises(ExistsError):
        write_what_appears_meanwhile()
    assert target.read_text() == "theirs"
    with atomic_path(target, force=True) as temporary:
        temporary.write_text("forced")
    assert target.read_text() == "forced"
    target.unlink()
    with atomic_path(target) as temporary:
        temporary.write_text("mine")
    assert target.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


def test_leftovers_of_a_killed_run_are_deleted_by_the_next(tmp_path: Path) -> None:
    killed = start(tmp_path / "a.png", 1)
    alive = start(tmp_path / "b.png", 2)
    for run in (killed, alive):
        assert run.stdout is not None
        run.stdout.readline()
    killed.kill()
    killed.communicate()
    (tmp_path / ".notes.part.png").write_text("not ours")
    (tmp_path / ".link.00000000-1-1.00000000.part.png").symlink_to(tmp_path / "b.png")
    assert len(list(tmp_path.glob(".a.*.part.png"))) == 1
    remove_leftovers.cache_clear()
    with atomic_path(tmp_path / "c.png") as temporary:
        temporary.write_text("c")
    assert not list(tmp_path.glob(".a.*"))
    assert len(list(tmp_path.glob(".b.*.part.png"))) == 1, "another run that still works keeps its file"
    assert (tmp_path / ".notes.part.png").exists()
    assert alive.communicate("\n")[0].endswith("written\n")
    assert (tmp_path / "b.png").read_text() == "2"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_reused_process_number_is_no_running_process(tmp_path: Path) -> None:
    host, number, started = process_mark().split("-")
    old = tmp_path / f".a.{host}-{number}-{int(started) - 1}.01234567.part.png"
    ours = tmp_path / f".a.{host}-{number}-{started}.01234567.part.png"
    elsewhere = tmp_path / f".a.ffffffff-{number}-1.01234567.part.png"
    for path in (old, ours, elsewhere):
        path.write_text("x")
    remove_leftovers.cache_clear()
    remove_leftovers(tmp_path)
    assert [path.exists() for path in (old, ours, elsewhere)] == [False, True, True]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_files_of_an_ended_process_that_nobody_asked_for_are_deleted(tmp_path: Path) -> None:
    """In a container whose first process waits for no other, killed runs stay as zombies."""
    code = f"import sys; sys.path.insert(0, {str(Path(atomic.__file__).parents[2])!r})\n"
    code += "from depth3d.io.leftovers import process_mark; print(process_mark(), flush=True)"
    ended = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert ended.stdout is not None
    mark = ended.stdout.readline().strip()
    ended.stdout.read()  # to its end; its exit code is not asked for
    stat, deadline = Path(f"/proc/{ended.pid}/stat"), time.monotonic() + 20
    while ") Z " not in stat.read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    left = tmp_path / f".a.{mark}.0123abcd.part.png"
    left.touch()
    remove_leftovers(tmp_path)
    assert not left.exists()
    ended.wait()


def test_temporary_folders_of_killed_runs_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = (
        f"import os, signal, tempfile; tempfile.tempdir = {str(tmp_path)!r}\n"
        "from depth3d.io.leftovers import temporary_folder\n"
        "with temporary_folder() as folder:\n"
        "    (folder / 'big').write_bytes(bytes(1000)); os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    keep = tmp_path / "depth3d-somebodys"
    keep.mkdir()
    assert len(list(tmp_path.glob("depth3d-*-*-*"))) == 1
    leftovers._remove_folders.cache_clear()
    with temporary_folder() as folder:
        assert folder.is_dir()
        assert list(tmp_path.glob("depth3d-*-*-*")) == [folder]
    assert list(tmp_path.iterdir()) == [keep]


def test_long_names_stay_below_the_limit(tmp_path: Path) -> None:
    target = tmp_path / ("\N{CJK UNIFIED IDEOGRAPH-6DF1}" * 80 + ".jpg")  # 244 bytes
    with atomic_path(target) as temporary:
        assert len(os.fsencode(temporary.name)) <= 255
        temporary.write_text("x")
    assert target.read_text() == "x"


def test_errors_name_the_file_and_leave_nothing(tmp_path: Path) -> None:
    target = tmp_path / "out.png"

    def write_on_a_full_disk() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(WriteError, match=re.escape(str(target))):
        write_on_a_full_disk()
    assert not list(tmp_path.iterdir())


def test_threads_of_one_process_do_not_share_a_name(tmp_path: Path) -> None:
    outcomes: list[str] = []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        try:
            with atomic_path(tmp_path / "out.txt") as temporary:
                temporary.write_text(str(number))
                barrier.wait()
            outcomes.append("written")
        except ExistsError:
            outcomes.append("refused")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == 7 * ["refused"] + ["written"]


@pytest.mark.parametrize("force", ["no", "", 0, 1, None])
def test_force_is_true_or_false(tmp_path: Path, force: object) -> None:
    with pytest.raises(InvalidOption, match=r"force: .*, expected True or False"):
        refuse_existing(tmp_path / "a.png", force=force)  # type: ignore[arg-type]
    assert refuse_existing(tmp_path / "a.png", force=np.bool_(False)) == tmp_path / "a.png"


def test_errors_inside_name_the_file_and_not_its_temporary_one(tmp_path: Path) -> None:
    from fractions import Fraction

    from depth3d.image import Size
    from depth3d.io.video.depth_clip import DepthClipWriter

    path = tmp_path / "gone" / "d.mkv"
    path.parent.mkdir()

    def write() -> None:
        with atomic_path(path) as temporary:
            path.parent.rmdir()
            DepthClipWriter(temporary, Size(32, 24), rate=Fraction(25), time_base=Fraction(1, 25))

    with pytest.raises(WriteError, match=r"d\.mkv: cannot be written: no such file or directory$") as raised:
        write()
    assert raised.value.path == path
