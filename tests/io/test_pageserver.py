"""The server of `view --serve`: one page, this machine only, bounded connections; all with real sockets."""

from __future__ import annotations

import http.client
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from depth3d.errors import InvalidOption
from depth3d.io import pageserver
from depth3d.io.pageserver import CONNECTIONS, PageServer

PAGE = b"<!DOCTYPE html>" + b"x" * 20_000_000  # more than the buffers of a connection hold


@pytest.fixture
def server(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "a.html"
    path.write_bytes(PAGE)
    (tmp_path / "secret.txt").write_text("secret")
    with PageServer(0) as running:
        worker = threading.Thread(target=running.serve, args=(path, lambda address: None), daemon=True)
        worker.start()
        yield running.server_port
        running.shutdown()
        worker.join(5)
        assert not worker.is_alive()


def ask(port: int, path: str, host: str = "localhost") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", f"{host}:{port}")
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.security
def test_serving_gives_the_page_and_nothing_else(server: int) -> None:
    status, body = ask(server, "/")
    assert status == 200
    assert body.startswith(b"<!DOCTYPE html>")
    for path in ("/secret.txt", "/../secret.txt", "/%2e%2e/etc/passwd", "//etc/passwd", "/a.html", "/..%5c", "/./"):
        status, body = ask(server, path)
        assert status == 404, path
        assert b"secret" not in body or b"root:" not in body
    assert ask(server, "/", host="evil.example")[0] == 404


@pytest.mark.security
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/net/tcp")
def test_serving_listens_on_this_machine_only(server: int) -> None:
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    mine = [address for address in listening if address.endswith(f":{server:04X}")]
    assert mine
    assert all(address.startswith("0100007F") for address in mine)
    assert os.path.exists("/proc/net/tcp6")
    assert f":{server:04X} " not in Path("/proc/net/tcp6").read_text()


def connection_threads() -> int:
    """Number of connections being served now; threads that other tests left behind do not count."""
    return sum("process_request_thread" in thread.name for thread in threading.enumerate())


def connections_fall_to(count: int) -> bool:
    """Wait up to 5 s until at most so many connections are served."""
    for _ in range(100):
        if connection_threads() <= count:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.security
def test_idle_connections_are_bounded_and_the_page_still_comes(server: int) -> None:
    assert connections_fall_to(0)
    idle = [socket.create_connection(("127.0.0.1", server), timeout=5) for _ in range(6 * CONNECTIONS)]
    assert ask(server, "/")[1] == PAGE
    assert connection_threads() > 0
    assert connections_fall_to(CONNECTIONS)
    for connection in idle:
        connection.close()
    assert connections_fall_to(0)


@pytest.mark.security
def test_a_silent_client_is_closed(monkeypatch: pytest.MonkeyPatch, server: int) -> None:
    monkeypatch.setattr(pageserver._Handler, "timeout", 0.2)
    with socket.create_connection(("127.0.0.1", server), timeout=5) as silent:
        silent.sendall(b"GET / HT")
        assert silent.recv(100) == b""


@pytest.mark.security
def test_a_client_that_reads_nothing_is_closed(monkeypatch: pytest.MonkeyPatch, server: int) -> None:
    monkeypatch.setattr(pageserver._Handler, "timeout", 0.2)
    assert connections_fall_to(0)
    with socket.create_connection(("127.0.0.1", server), timeout=5) as stuck:
        stuck.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        time.sleep(0.1)
        assert connection_threads() == 1
        assert connections_fall_to(0)


def test_a_closed_tab_prints_no_traceback(server: int, capfd: pytest.CaptureFixture[str]) -> None:
    for request in (b"", b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", b"GET /", b"\xff\0\r\n\r\n"):
        tab = socket.create_connection(("127.0.0.1", server), timeout=5)
        tab.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # ends with a reset
        tab.sendall(request)
        tab.close()
    assert ask(server, "/")[0] == 200
    time.sleep(0.2)
    told = capfd.readouterr()
    assert told.err == told.out == ""


@pytest.mark.parametrize("port", ["99999", "-1", "x"])
def test_an_impossible_port_is_refused_before_the_work(port: str, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from depth3d.cli.main import cli

    (tmp_path / "a.png").write_bytes(b"never opened")
    answer = CliRunner().invoke(cli, ["view", str(tmp_path / "a.png"), "--serve", "--port", port])
    assert answer.exit_code != 0
    assert "port" in str(answer.exception or "") + answer.output


def test_a_port_in_use_is_refused_before_the_work(server: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from depth3d.cli.main import cli

    monkeypatch.setattr("depth3d.pipeline.scene.load_scene", lambda *_: pytest.fail("the work came first"))
    (tmp_path / "b.png").write_bytes(b"never opened")
    answer = CliRunner().invoke(cli, ["view", str(tmp_path / "b.png"), "--serve", "--port", str(server)])
    assert isinstance(answer.exception, InvalidOption)
    assert "address already in use" in str(answer.exception)
    assert not (tmp_path / "b.html").exists()
