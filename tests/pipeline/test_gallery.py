"""The gallery: what is found in a folder, and the player in a real browser, served with and without a secret."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import imageio_ffmpeg
import numpy as np
import pytest
from browser import Browser
from commandline import run
from PIL import Image as Pillow

import depth3d as d3
from depth3d.errors import InvalidInput, InvalidOption
from depth3d.io.gallery import gallery_html, is_gallery, subtitles_of, write_gallery
from depth3d.io.pageserver import PageServer
from depth3d.pipeline.gallery import gallery_items


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stereo clip whose left eye is red and right eye blue, with subtitles; a photo; files that are left out."""
    place = tmp_path_factory.mktemp("gallery")
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    eyes = [part for color in ("red", "blue") for part in ("-f", "lavfi", "-i", f"color={color}:s=160x120:d=2:r=10")]
    clip = place / "b_LRF_Full_SBS.webm"
    subprocess.run([*ffmpeg, *eyes, "-filter_complex", "hstack", "-c:v", "libvpx-vp9", str(clip)], check=True)
    clip.with_suffix(".srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nWWWWWWWW\n")
    Pillow.new("RGB", (60, 40), (0, 200, 0)).save(place / "a #1.png")
    Pillow.new("L", (60, 40), 90).save(place / "a #1_depth.png")
    (place / "notes.txt").write_text("mine")
    (place / "broken.jpg").write_bytes(b"nothing")
    return place


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[Browser]:
    """The gallery of the folder, served on this machine, in Chromium."""
    items = gallery_items(folder)
    html = gallery_html(items, [f"./{index}" for index in range(len(items))], "Gallery")
    with PageServer(0) as server, Browser(900, 600) as browser:
        files = [item.path for item in items]
        threading.Thread(target=server.serve, args=(html.encode(), lambda address: None, files), daemon=True).start()
        browser.open(server.address)
        yield browser
        assert [said for said in browser.problems if "willReadFrequently" not in said] == []
        server.shutdown()


def test_items_know_their_eyes_and_what_cannot_be_shown_is_told(folder: Path) -> None:
    told: list[str] = []
    photo, clip = gallery_items(folder, tell=told.append)
    assert (photo.path.name, photo.kind, photo.packing, photo.aspect) == ("a #1.png", "photo", "mono", 1.5)
    assert (clip.kind, clip.packing, clip.right_first, clip.loop) == ("clip", "side", False, True)
    assert clip.aspect == pytest.approx(4 / 3)
    assert clip.thumbnail.pixels.mean((0, 1)) == pytest.approx([254, 0, 0], abs=3)
    assert clip.subtitles is not None
    assert clip.subtitles.startswith("WEBVTT")
    assert len(told) == 1
    assert "broken.jpg" in told[0]
    with pytest.raises(InvalidInput, match="no photo, clip or 3D page"):
        gallery_items(Path(__file__).parent / "check")


def test_stereo_files_that_browsers_cannot_show_become_side_by_side_pictures(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (120, 160, 3), np.uint8)
    pixels = np.asarray(Pillow.fromarray(pixels).resize((320, 240)))
    pair = d3.StereoPair(d3.Image(pixels), d3.Image(np.roll(pixels, -4, 1)))
    d3.save_image(d3.compose(pair, format="sbs"), tmp_path / "x_LRF_Full_SBS.jpg")
    d3.stereo(tmp_path / "x_LRF_Full_SBS.jpg", tmp_path / "x.mpo", format="mpo")
    (tmp_path / "x_LRF_Full_SBS.jpg").unlink()
    (item,) = gallery_items(tmp_path)
    assert (item.packing, item.aspect) == ("side", pytest.approx(4 / 3, abs=0.05))  # borders that one eye lacks are cut
    assert item.picture is not None
    assert item.picture[:3] == b"\xff\xd8\xff"


def test_written_pages_refer_to_the_files_and_are_made_anew(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "depth3d", "view", str(folder)]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.strip()) == (0, str(folder / "gallery.html")), done.stderr
    assert is_gallery(folder / "gallery.html")
    assert "./a%20%231.png" in (folder / "gallery.html").read_text()
    items = gallery_items(folder)  # the gallery itself is none of them
    assert len(items) == 2
    assert "../" in write_gallery(items, tmp_path / "elsewhere.html", "x").read_text()
    refused = subprocess.run([*command, "--amount", "3"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "--amount" in refused.stderr
    (folder / "gallery.html").unlink()


def test_the_page_of_a_clip_goes_into_a_folder(folder: Path, tmp_path: Path) -> None:
    clip = folder / "b_LRF_Full_SBS.webm"
    assert run("view", clip, "-o", f"{tmp_path}/new/") == 0
    assert clip.name in (tmp_path / "new" / f"{clip.stem}.html").read_text()


def middle(browser: Browser) -> list[int]:
    """Colors at the middles of the left and the right half, and in the middle, of the player's canvas."""
    return browser.run(
        "(() => { const c = document.getElementById('picture'), t = c.getContext('2d'); return [0.25, 0.75, 0.5].map("
        "(x) => [...t.getImageData(c.width * x, c.height * 0.4, 1, 1).data].slice(0, 3)); })()"
    )


def test_the_player_shows_each_eye_where_it_belongs(page: Browser) -> None:
    assert page.run("document.querySelectorAll('.item img').length") == 2
    page.click(".item:nth-child(2)")
    page.wait("depth3dPlayer.state.media?.currentTime > 0.1")

    def shows(key: str, parts: slice, expected: list[list[int]]) -> bool:
        """Whether these colors come within some seconds: software decoders are slow on a busy machine."""
        page.run(f"window.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}'}}))")
        for _ in range(60):
            if np.abs(np.array(middle(page)[parts]) - expected).max() < 30:
                return True
            time.sleep(0.1)
        return False

    red, blue = [254, 0, 0], [0, 0, 254]
    assert shows("1", slice(2, 3), [red])
    assert shows("2", slice(2, 3), [[254, 0, 254]])  # red of the left eye, blue of the right one
    assert shows("3", slice(0, 2), [red, blue])
    assert shows("4", slice(0, 2), [blue, red])


def test_subtitles_are_drawn_and_can_be_hidden(page: Browser) -> None:
    white = (
        "(() => { const c = document.getElementById('picture'), d = c.getContext('2d').getImageData(0, 0, c.width,"
        " c.height).data; let n = 0; for (let i = 0; i < d.length; i += 4) n += d[i] > 250 && d[i + 1] > 250"
        " && d[i + 2] > 250; return n; })()"
    )
    page.wait(f"{white} > 300", 10)
    page.run("window.dispatchEvent(new KeyboardEvent('keydown', {key: 't'}))")
    page.wait(f"{white} === 0", 10)


@pytest.mark.parametrize("shape", ["flat", "curved"])
def test_the_headset_shows_each_eye_its_own_picture_at_life_size(page: Browser, shape: str) -> None:
    seen = page.run(
        "(() => { const p = depth3dPlayer, r = p.roomOf(); r.renderer.setSize(64, 64, false);"
        f" r.show(p.items[1], p.state.media, {{ shape: '{shape}', size: 'life' }});"
        " const gl = r.renderer.getContext(), out = []; for (const eye of [0, 1]) { r.drawEye(eye);"
        " const d = new Uint8Array(4); gl.readPixels(32, 32, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, d); out.push([...d]); }"
        " const box = r.screens[0].geometry; box.computeBoundingBox(); const b = box.boundingBox;"
        " return [out, b.max.x - b.min.x, b.min.z, p.items[1].fieldOfView]; })()"
    )
    (left, right), across, away, angle = seen
    assert np.abs(np.array([left[:3], right[:3]]) - [[254, 0, 0], [0, 0, 254]]).max() < 30
    assert away == pytest.approx(-3, abs=0.01)
    width = 2 * 3 * np.tan(np.radians(angle / 2))
    assert across == pytest.approx(width if shape == "flat" else 2 * 3 * np.sin(width / 3 / 2), rel=0.01)


def ask(server: PageServer, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body, dict(answer.getheaders())


@pytest.mark.security
def test_other_machines_need_the_secret_and_reach_only_the_listed_files(folder: Path) -> None:
    with PageServer(0, "127.0.0.1") as server:
        files = [folder / "a #1.png"]
        threading.Thread(target=server.serve, args=(b"<p>", lambda address: None, files), daemon=True).start()
        path = urlsplit(server.address).path
        assert len(path) > 14
        assert ask(server, path, Host="192.168.1.20")[:2] == (200, b"<p>")
        assert ask(server, f"{path}0")[1] == files[0].read_bytes()
        for wrong in ("/", "/0", path[:-1], f"/x{path}", f"{path}1", f"{path}../notes.txt", f"{path}-1", f"{path}0/"):
            assert ask(server, wrong)[0] == 404, wrong
        server.shutdown()


def test_ranges_of_files_let_players_seek(folder: Path) -> None:
    data = (folder / "b_LRF_Full_SBS.webm").read_bytes()
    with PageServer(0) as server:
        files = [folder / "b_LRF_Full_SBS.webm"]
        threading.Thread(target=server.serve, args=(b"", lambda address: None, files), daemon=True).start()
        status, body, headers = ask(server, "/0", Range="bytes=10-19")
        assert (status, body, headers["Content-Range"]) == (206, data[10:20], f"bytes 10-19/{len(data)}")
        assert ask(server, "/0", Range="bytes=-5")[:2] == (206, data[-5:])
        assert ask(server, "/0", Range="bytes=100-")[:2] == (206, data[100:])
        assert ask(server, "/0", Range=f"bytes={len(data)}-")[0] == 416
        assert ask(server, "/0")[:2] == (200, data)
        server.shutdown()


def test_hosts_and_certificates_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("no key")
    with pytest.raises(InvalidOption, match="certificate"):
        PageServer(0, "127.0.0.1", str(tmp_path / "x.pem"))
    with pytest.raises(InvalidOption, match=r"host: 203\.0\.113\.7 is not an address of this machine"):
        PageServer(0, "203.0.113.7")
    with pytest.raises(InvalidOption, match=r"host.*needs `serve`"):
        d3.ViewOptions(host="0.0.0.0")


def test_subtitles_inside_a_clip_are_found(folder: Path, tmp_path: Path) -> None:
    clip = folder / "b_LRF_Full_SBS.webm"
    inside = tmp_path / "film.mkv"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(clip), "-i", str(clip.with_suffix(".srt"))]
    subprocess.run([*command, "-c", "copy", str(inside)], check=True)
    found = subtitles_of(inside)
    assert found is not None
    assert "WWWWWWWW" in found
    assert subtitles_of(folder / "a #1.png") is None
