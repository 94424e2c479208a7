"""Clips in the studio: frames, shots, a preview, a run that is stopped and goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pytest
from browser import Browser
from chromium import program
from clips import make_clip

from depth3d.io.video.hints import read_clip_hints

if TYPE_CHECKING:
    from conftest import Running

program()  # without Chromium all tests of this file skip as one

FRAMES = 200  # more than one segment of a conversion


@pytest.fixture(scope="module")
def page(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    clip = make_clip(tmp_path_factory.mktemp("clip") / "square.mp4", count=FRAMES, size=(96, 64))
    with Browser() as browser:
        browser.open(running.address)
        browser.drop([clip])
        browser.wait("document.querySelector('#items [aria-current=true] + .remove + .kind')?.textContent === 'Clip'")
        browser.wait("document.documentElement.dataset.picture === 'ready' && document.getElementById('busy').hidden")
        yield browser
        assert browser.problems == []


def test_the_frame_slider_shows_another_frame(page: Browser) -> None:
    assert page.run("document.querySelector('[role=tab][aria-selected=true]').id") == "tab-clip"
    assert page.run("document.getElementById('time-value').textContent").endswith("of 0:06.67")
    before = page.run("document.getElementById('depth').toDataURL()")
    page.run(
        "(() => { const s = document.getElementById('time'); s.value = 3; s.dispatchEvent(new Event('input')); })()"
    )
    page.wait(f"document.getElementById('depth').toDataURL() !== {before!r}")
    page.wait("document.getElementById('busy').hidden")


def test_shots_have_their_own_strength(page: Browser) -> None:
    page.click("#find-shots")
    page.wait("document.querySelectorAll('#shots li').length >= 1")
    assert page.run("document.querySelector('#shots img').naturalWidth") > 50
    assert page.run("document.querySelector('#shots input').getAttribute('aria-label')") == "parallax of shot 1"


def test_two_seconds_to_try(page: Browser) -> None:
    page.click("#preview")
    page.wait("document.getElementById('player').videoWidth > 0", 120)
    assert page.run("document.getElementById('player').duration") == pytest.approx(2, abs=0.2)
    # Side by side: also for red-cyan glasses, at the size of one eye.
    wide = page.run("document.getElementById('player').videoWidth")
    page.click("#as-anaglyph")
    page.wait(f"document.getElementById('glasses').width === {wide} / 2")
    looked_at = "document.getElementById('glasses').getContext('2d').getImageData(0, 0, 40, 40).data"
    page.wait(f"{looked_at}.some((value, place) => place % 4 < 3 && value > 20)")
    page.click("#as-anaglyph")
    assert page.run("document.getElementById('glasses').hidden")
    page.click("#close-player")
    assert page.run("document.getElementById('as-anaglyph').hidden")


def test_strokes_belong_to_their_frame_and_are_kept_beside_the_clip(page: Browser, running: Running) -> None:
    def go_to(second: int) -> None:
        page.run(
            "(() => { const s = document.getElementById('time');"
            f" s.value = {second}; s.dispatchEvent(new Event('input')); }})()"
        )
        page.wait(f"document.getElementById('time-value').textContent.startsWith('0:0{second}')")
        page.wait("document.documentElement.dataset.picture === 'ready' && document.getElementById('busy').hidden")

    go_to(2)
    page.click("#tab-depth")
    page.click("[data-tool=farther]")
    box = page.run(
        "(() => { const c = document.getElementById('depth'), r = c.getBoundingClientRect(),"
        " s = Math.min(r.width / c.width, r.height / c.height), w = c.width * s, h = c.height * s;"
        " return [r.x + (r.width - w) / 2, r.y + (r.height - h) / 2, w, h]; })()"
    )
    page.drag([(box[0] + box[2] * x, box[1] + box[3] * 0.9) for x in (0.3, 0.4, 0.5, 0.6)])
    page.wait("!document.getElementById('undo').disabled")
    page.click("[data-tool=farther]")
    page.click("#keep")
    page.wait("document.getElementById('toast').textContent.includes('square_hints.json')")
    (key,) = read_clip_hints(running.results / "square_hints.json")
    assert float(key.time) == pytest.approx(2, abs=0.02)
    assert [stroke.kind for stroke in key.hints.strokes] == ["farther"]
    page.click("#tab-save")
    page.wait("document.getElementById('commands').textContent.includes('--hints square_hints.json')")
    go_to(1)
    assert page.run("document.getElementById('undo').disabled")  # this frame has none
    go_to(2)
    assert not page.run("document.getElementById('undo').disabled")
    page.click("#tab-depth")
    page.click("#clear")
    page.wait("document.getElementById('undo').disabled")
    page.click("#tab-clip")


def test_a_stopped_run_goes_on(page: Browser, running: Running) -> None:
    target = running.results / "square_LRF_Full_SBS.mp4"
    work = running.results / f".{target.name}.depth3d"
    page.click("#tab-save")
    page.click("#save")
    until = time.monotonic() + 120
    while not (work / "depth" / "done.json").exists():  # the first segment is on the disk
        assert time.monotonic() < until
        time.sleep(0.02)
    page.click("#jobs li:first-child .acts button")
    page.wait("document.querySelector('#jobs li:first-child').dataset.state === 'cancelled'")
    assert "can go on" in page.run("document.querySelector('#jobs li:first-child span').textContent")
    assert not target.exists()
    assert work.is_dir()
    page.click("#jobs li:first-child .acts button")  # "Go on"
    page.wait("document.querySelector('#jobs li:first-child').dataset.state === 'done'", 180)
    assert not work.exists()
    with av.open(str(target)) as container:
        assert sum(1 for _ in container.decode(video=0)) == FRAMES
    assert Path(running.results / "square_shots.toml").is_file()
    page.click("#jobs li:first-child .acts button")
    page.wait("document.getElementById('player').videoWidth === 192")
