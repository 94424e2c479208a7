"""Attacks on the studio's server that must fail."""

from __future__ import annotations

import asyncio
import http.client
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from depth3d.errors import InvalidInput
from depth3d.studio.guard import Guard
from depth3d.studio.items import Library, clean_name
from depth3d.studio.products import option_values

if TYPE_CHECKING:
    from conftest import Running

pytestmark = pytest.mark.security
PAGE = {"Host": "localhost:8123"}
OWN = {"Host": "localhost:8123", "Origin": "http://localhost:8123", "Sec-Fetch-Site": "same-origin"}


def guarded(method: str, path: str, headers: dict[str, str]) -> tuple[int, str, dict[str, str]]:
    """Status of a request at a guard with the token "secret", the path that the application saw, answer's headers."""
    seen: list[str] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": pairs}
    asyncio.run(Guard(app, "secret")(scope, receive, send))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], seen[0] if seen else "", found


def test_the_page_itself_passes() -> None:
    assert guarded("GET", "/secret/", PAGE)[:2] == (200, "/")
    assert guarded("POST", "/secret/api/jobs", OWN)[:2] == (200, "/api/jobs")
    headers = guarded("GET", "/secret/", PAGE)[2]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:8123"},
        {"Host": "localhost.evil.example"},
        {},
        {**PAGE, "Origin": "http://evil.example"},
        {**PAGE, "Origin": "null"},
        {**PAGE, "Origin": "http://localhost:9999"},
        {**PAGE, "Origin": "https://localhost:8123"},
        {**PAGE, "Sec-Fetch-Site": "cross-site"},
        {**PAGE, "Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_hosts_and_pages_are_refused(headers: dict[str, str]) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert guarded(method, "/secret/api/state", headers)[:2] == (403, "")


@pytest.mark.parametrize(
    "path", ["/", "/api/state", "/Secret/", "/secre/", "/secrets/", "/s%65cret/", "//secret/", "/\u00e9/"]
)
def test_without_the_token_there_is_nothing(path: str) -> None:
    status, seen, _ = guarded("GET", path, PAGE)
    assert (status, seen) == (404, "") or (path == "//secret/" and seen == "/")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\win.ini", "win.ini"),
        ("/absolute/photo.jpg", "photo.jpg"),
        ("...", "photo"),
        (".bashrc", "bashrc"),
        ("a\x00b\n.jpg", "a_b_.jpg"),
        ("con.jpg", "_con.jpg"),
        ("", "photo"),
        ("caf\u00e9 \U0001f600.jpg", "caf\u00e9 \U0001f600.jpg"),
    ],
)
def test_names_become_plain(name: str, plain: str) -> None:
    assert clean_name(name) == plain


def test_long_names_are_cut() -> None:
    assert len(clean_name("\u00e9" * 5000 + "." + "x" * 5000).encode()) < 200


def receive(library: Library, name: str, size: int, *, announced: int | None = None, batch: str = "a") -> Path:
    async def chunks() -> Any:
        for _ in range(size // 100):
            yield b"x" * 100

    return asyncio.run(library.receive(name, batch, announced, chunks())).path


def test_uploads_are_bounded_and_leave_nothing_behind(tmp_path: Path) -> None:
    library = Library(tmp_path, largest=1000, room=2500)
    assert receive(library, "a.jpg", 1000).stat().st_size == 1000
    for announced in (None, 500, 5000):
        with pytest.raises(InvalidInput, match="larger"):
            receive(library, "b.jpg", 5000, announced=announced)
    assert receive(library, "a.jpg", 1000).parent != tmp_path / "drop-a"  # the same name twice: a folder of its own
    with pytest.raises(InvalidInput, match="too many"):
        receive(library, "c.jpg", 1000, announced=1000)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert [path.name for path in files] == ["a.jpg", "a.jpg"]
    for key in list(library.items):
        library.remove(key)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("batch", ["../x", "", "a/b", "a" * 40])
def test_the_name_of_a_drop_is_no_path(tmp_path: Path, batch: str) -> None:
    with pytest.raises(InvalidInput):
        receive(Library(tmp_path, 10**6, 10**6), "a.jpg", 100, batch=batch)


def test_files_of_the_command_line_are_never_deleted(tmp_path: Path) -> None:
    mine = tmp_path / "mine.jpg"
    mine.write_bytes(b"x")
    library = Library(tmp_path, 10**6, 10**6)
    library.remove(library.add(mine).key)
    assert mine.exists()


def test_no_address_leads_to_other_files(running: Running) -> None:
    parts = urlsplit(running.address)
    for path in (
        "../../etc/passwd",
        "%2e%2e/%2e%2e/etc/passwd",
        "/etc/passwd",
        "page/index.html",
        "server.py",
        "api/x",
    ):
        connection = http.client.HTTPConnection("127.0.0.1", parts.port or 0, timeout=30)
        connection.putrequest("GET", parts.path + path, skip_host=True)
        connection.putheader("Host", parts.netloc)
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status == 404, path
        assert b"root:" not in answer.read()


@pytest.mark.parametrize(
    "request_body",
    [
        {"item": "/etc/passwd", "outputs": ["stereo:sbs"], "options": {}},
        {"item": "x", "outputs": ["stereo:sbs"], "options": {}},
        {"item": None, "outputs": [], "options": {}},
        {},
    ],
)
def test_only_open_files_can_be_converted(running: Running, request_body: Any) -> None:
    status, answer = running.ask("api/jobs", request_body)
    assert status == 400
    assert "error" in answer


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"outputs": ["shell:rm"]}, "unknown"),
        ({"outputs": ["animate:../../x.mp4"]}, "unknown"),
        ({"source": "/etc/passwd"}, "unknown"),
        ({"source": "item:zzz"}, "not open"),
        ({"source": ["tiny"]}, "unknown"),
        ({"options": {"amount": 1e9}}, "amount"),
        ({"options": {"path": "/etc/passwd"}, "outputs": ["animate:.mp4"]}, "path"),
    ],
)
def test_requests_are_checked(running: Running, change: Any, reason: str) -> None:
    photo = (Path(__file__).parents[2] / "examples" / "coffee.jpg").read_bytes()
    _, item = running.ask("api/upload?name=a.jpg&batch=attack", photo, method="POST")
    status, answer = running.ask(
        "api/jobs", {"item": item["key"], "outputs": ["animate:.mp4"], "options": {}, **change}
    )
    assert status == 400
    assert reason in answer["error"]
    assert running.ask(f"api/items/{item['key']}", method="DELETE")[0] == 200


def test_options_that_name_files_are_not_taken_from_a_page(tmp_path: Path) -> None:
    values = {"amount": 3, "save_depth": str(tmp_path / "x.mkv"), "shots": "/etc/passwd", "size": "320x240"}
    assert option_values("animate", values, "clip") == {"amount": 3.0, "size": "320x240"}


def test_what_is_no_picture_is_refused_in_one_line(running: Running) -> None:
    for name, data in (("a.jpg", b"not a picture"), ("a.exe", b"MZ" + bytes(100)), ("a.mp4", b"\0" * 1000)):
        status, answer = running.ask(f"api/upload?name={name}&batch=bad", data, method="POST")
        assert status == 400
        assert "\n" not in answer["error"]
        assert "drop-" not in answer["error"], "the private folder is nobody's business"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/net/tcp")
def test_it_listens_on_this_machine_only(running: Running) -> None:
    port = urlsplit(running.address).port or 0
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    mine = {address for address in listening if address.endswith(f":{port:04X}")}
    assert mine
    assert all(address.startswith("0100007F") for address in mine)
    assert os.path.exists("/proc/net/tcp6")
    assert f":{port:04X} " not in Path("/proc/net/tcp6").read_text()
