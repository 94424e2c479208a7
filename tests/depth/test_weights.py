"""The downloader loses nothing: cut connections, wrong files, a full disk, two processes, no network."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from depth.faulty_server import FaultyServer, serving

from depth3d.depth import fetch, weights
from depth3d.depth.card import InputRule, ModelCard, WeightsFile
from depth3d.errors import WeightsError

BODY = bytes(range(256)) * 4000
SHA = hashlib.sha256(BODY).hexdigest()


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEPTH3D_OFFLINE")
    monkeypatch.setattr(fetch, "PAUSE", 0.01)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with serving(BODY) as running:
        yield running


def card_for(url: str | None, sha256: str | None = SHA, size: int | None = None) -> ModelCard:
    file = WeightsFile("weights.pt", url, sha256=sha256, size=size, also=("older-name.pt",))
    return ModelCard("mine", build="nowhere:build", weights=file, input=InputRule(256))


def folder() -> Path:
    return weights.cache_folder()


def leftovers() -> set[str]:
    return {path.name for path in folder().iterdir()} - {"weights.pt", "weights.pt.sha256", "weights.pt.lock"}


def test_fetched_once_and_checked(server: FaultyServer) -> None:
    path = weights.locate(card_for(server.url))
    assert path == folder() / "weights.pt"
    assert path.read_bytes() == BODY
    assert weights.locate(card_for(server.url)) == path
    assert server.asked == [None]
    assert leftovers() == set()


def test_published_prefix_of_the_hash_is_enough(server: FaultyServer) -> None:
    assert weights.locate(card_for(server.url, SHA[:8])).read_bytes() == BODY


def test_cut_connections_go_on_where_they_stopped(server: FaultyServer) -> None:
    server.cut_after = [300_000, 200_001, 1]
    assert weights.locate(card_for(server.url)).read_bytes() == BODY
    assert server.asked == [None, "bytes=300000-", "bytes=500001-", "bytes=500002-"]


def test_the_next_run_goes_on_where_the_last_one_gave_up(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "ATTEMPTS", 1)
    server.cut_after = [400_000]
    with pytest.raises(WeightsError, match="400000 of 1024000 bytes"):
        weights.locate(card_for(server.url))
    assert not (folder() / "weights.pt").exists()
    assert weights.locate(card_for(server.url)).read_bytes() == BODY
    assert server.asked == [None, "bytes=400000-"]


def test_a_server_without_ranges_sends_it_all_again(server: FaultyServer) -> None:
    server.ranges = False
    server.cut_after = [300_000]
    assert weights.locate(card_for(server.url)).read_bytes() == BODY


def test_a_file_changed_meanwhile_is_not_mixed(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "ATTEMPTS", 1)
    old = bytes(len(BODY))
    server.wrong, server.cut_after = [old], [500_000]
    with pytest.raises(WeightsError):
        weights.locate(card_for(server.url))
    server.tag = '"two"'
    assert weights.locate(card_for(server.url)).read_bytes() == BODY
    assert not list(folder().glob("*.damaged-*"))


def test_a_wrong_download_is_kept_aside_and_fetched_again(server: FaultyServer) -> None:
    wrong = BODY[:-1] + b"?"
    server.wrong = [wrong]
    assert weights.locate(card_for(server.url)).read_bytes() == BODY
    assert (folder() / "weights.pt.damaged-1").read_bytes() == wrong


def test_wrong_twice_is_an_error_with_both_hashes(server: FaultyServer) -> None:
    server.wrong = [b"no", b"no"]
    with pytest.raises(WeightsError) as caught:
        weights.locate(card_for(server.url))
    assert SHA in str(caught.value)
    assert hashlib.sha256(b"no").hexdigest() in str(caught.value)
    assert not (folder() / "weights.pt").exists()


@pytest.mark.parametrize("size", [None, len(BODY)])
def test_a_damaged_file_is_named_kept_and_fetched_again(server: FaultyServer, size: int | None) -> None:
    folder().mkdir(exist_ok=True)
    (folder() / "weights.pt").write_bytes(BODY[:1000])
    assert weights.locate(card_for(server.url, size=size)).read_bytes() == BODY
    assert (folder() / "weights.pt.damaged-1").read_bytes() == BODY[:1000]


def test_a_damaged_file_without_network_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTH3D_OFFLINE", "1")
    (folder() / "weights.pt").write_bytes(b"torn")
    with pytest.raises(WeightsError, match=r"weights\.pt was damaged, SHA-256 [0-9a-f]{64} instead of .*damaged-1"):
        weights.locate(card_for("http://127.0.0.1:9/weights.pt"))


def test_a_file_brought_by_hand_is_used(server: FaultyServer) -> None:
    (folder() / "older-name.pt").write_bytes(BODY)
    assert weights.locate(card_for(server.url)).name == "older-name.pt"
    assert server.asked == []


def test_hash_is_remembered_only_as_long_as_the_file_stays(server: FaultyServer) -> None:
    path = weights.locate(card_for(server.url))
    weights.locate(card_for(server.url))
    status = path.stat()
    path.write_bytes(BODY[::-1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert weights.locate(card_for(server.url)).read_bytes() == BODY
    assert (folder() / "weights.pt.damaged-1").read_bytes() == BODY[::-1]


def test_full_disk_before_it_starts(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(WeightsError, match=r"disk of .* is full.*DEPTH3D_CACHE"):
        weights.locate(card_for(server.url))


def test_full_disk_on_the_way_keeps_what_came(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    class Full:
        def __init__(self, file: object) -> None:
            self.file = file
            self.room = 600_000

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, data: bytes) -> int:
            if len(data) > self.room:
                self.file.write(data[: self.room])
                raise OSError(errno.ENOSPC, "No space left on device")
            self.room -= len(data)
            return self.file.write(data)

        def __getattr__(self, name: str) -> object:
            return getattr(self.file, name)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda self, *args, **more: Full(real(self, *args, **more)))
        with pytest.raises(WeightsError, match="is full"):
            weights.locate(card_for(server.url))
    assert (folder() / "weights.pt.part").stat().st_size == 600_000
    assert weights.locate(card_for(server.url)).read_bytes() == BODY
    assert server.asked[-1] == "bytes=600000-"


def test_two_processes_fetch_once(server: FaultyServer) -> None:
    server.slow = 0.5
    program = (
        "import sys; from depth3d.depth import weights; from depth3d.depth.card import *;"
        f"card = ModelCard('mine', 'x:y', WeightsFile('weights.pt', {server.url!r}, {SHA!r}), InputRule(256));"
        "print(weights.locate(card))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in running:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert out.strip() == str(folder() / "weights.pt")
    assert (folder() / "weights.pt").read_bytes() == BODY
    assert server.asked == [None]


def test_a_missing_file_on_the_server_is_told(server: FaultyServer) -> None:
    server.status = [404]
    with pytest.raises(WeightsError, match=r"404.*put it into"):
        weights.locate(card_for(server.url))


def test_an_overloaded_server_is_asked_again(server: FaultyServer) -> None:
    server.status = [503, 500]
    assert weights.locate(card_for(server.url)).read_bytes() == BODY


def test_no_network_says_which_file_to_put_where() -> None:
    with pytest.raises(WeightsError) as caught:
        weights.locate(card_for("http://127.0.0.1:9/weights.pt"))
    for part in ("weights.pt", "http://127.0.0.1:9/weights.pt", str(folder()), "`model`"):
        assert part in str(caught.value)


def test_offline_never_reaches_out(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTH3D_OFFLINE", "1")
    with pytest.raises(WeightsError, match="DEPTH3D_OFFLINE is set"):
        weights.locate(card_for(server.url))
    assert server.asked == []


def test_weights_nobody_may_hand_out() -> None:
    with pytest.raises(WeightsError, match="cannot be downloaded automatically"):
        weights.locate(card_for(None))


def test_an_unusable_folder_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: FaultyServer) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("DEPTH3D_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(WeightsError, match=r"cannot be used.*DEPTH3D_CACHE"):
        weights.locate(card_for(server.url))
