"""The studio used by a person: real Chromium, real drops, real files."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from browser import Browser
from chromium import program
from numpy.typing import NDArray

from depth3d.io.image.read import open_image

if TYPE_CHECKING:
    from conftest import Running

program()  # without Chromium all tests of this file skip as one

FLOWER = Path(__file__).parents[2] / "examples" / "flower.jpg"
PICTURE = "document.documentElement.dataset.picture"


@pytest.fixture(scope="module")
def page(running: Running) -> Iterator[Browser]:
    """The page with a photo that was dropped into it."""
    with Browser() as browser:
        browser.open(running.address)
        browser.drop([FLOWER])
        browser.wait(f"{PICTURE} === 'ready'")
        yield browser
        assert browser.problems == []


def shown(page: Browser) -> NDArray[np.int16]:
    """The photo's part of the page."""
    box = page.run(
        "(() => { const r = document.getElementById('picture').getBoundingClientRect();"
        " return [r.x, r.y, r.width, r.height].map(Math.round); })()"
    )
    x, y, width, height = box
    return page.picture()[y : y + height, x : x + width].astype(np.int16)


def set_slider(page: Browser, name: str, value: float) -> None:
    page.run(
        f"(() => {{ const s = document.getElementById('{name}'); s.value = {value};"
        " s.dispatchEvent(new Event('input')); })()"
    )


def set_playing(page: Browser, wanted: bool) -> None:
    """Click Play or Pause if the picture does not do so already: the tests of this file run in any order."""
    if page.run("document.getElementById('play').getAttribute('aria-pressed')") != str(wanted).lower():
        page.click("#play")


def change(page: Browser, before: np.ndarray, wanted: float) -> float:
    """Mean difference from a picture once it is over ``wanted``, or after 20 s: slow machines draw late."""
    until = time.monotonic() + 20
    while (found := float(np.abs(shown(page) - before).mean())) <= wanted and time.monotonic() < until:
        time.sleep(0.1)
    return found


def settled(page: Browser) -> np.ndarray:
    """The picture once it has stood still for 0.4 s."""
    until, before = time.monotonic() + 20, shown(page)
    while True:
        time.sleep(0.4)
        now = shown(page)
        if np.array_equal(now, before):
            return now
        assert time.monotonic() < until, "a paused picture moves"
        before = now


def test_a_dropped_photo_moves(page: Browser) -> None:
    set_playing(page, True)
    set_slider(page, "amount", 4)
    set_slider(page, "seconds", 2)
    first = shown(page)
    assert first.std() > 20, "the picture is empty"
    assert change(page, first, 1) > 1, "the picture does not move"
    page.click("#play")
    settled(page)


def test_the_focus_follows_a_click_and_changes_the_picture(page: Browser) -> None:
    set_playing(page, False)
    set_slider(page, "amount", 6)
    page.click("#picture")
    on_flower = page.run("Number(document.getElementById('focus').value)")
    before = settled(page)
    set_slider(page, "focus", 0)
    page.wait("document.getElementById('focus-value').textContent === '0.00'")
    assert change(page, before, 0.5) > 0.5
    assert on_flower > 0.6  # the flower is near
    x, y = page.middle("#picture")
    page.drag([(x, y), (x + 30, y), (x + 120, y + 20)])  # looking around is no click
    assert page.run("Number(document.getElementById('focus').value)") == 0


@pytest.mark.parametrize("view", ["anaglyph", "sbs", "wiggle", "depth", "photo"])
def test_every_view_shows_something_else(page: Browser, view: str) -> None:
    set_playing(page, False)
    plain = settled(page)
    page.click(f"[data-view={view}]")
    assert page.run(f"document.querySelector('[data-view={view}]').getAttribute('aria-pressed')") == "true"
    difference = np.abs(settled(page) - plain).mean() if view == "photo" else change(page, plain, 1)
    page.click("[data-view=photo]")
    assert difference < 0.1 if view == "photo" else difference > 1


def test_comfort_follows_the_sliders(page: Browser) -> None:
    page.click("#tab-stereo")
    set_slider(page, "parallax", 1)
    set_slider(page, "convergence", 0.8)
    page.wait("/^Comfortable: 33 %/.test(document.getElementById('comfort-text').textContent)")
    set_slider(page, "parallax", 6)
    page.wait("/^Too strong/.test(document.getElementById('comfort-text').textContent)")
    text = page.run("document.getElementById('comfort-numbers').textContent")
    assert "4.8 %" in text  # 6 % times 0.8 behind the screen
    assert "arc min" in text
    set_slider(page, "parallax", 2)


def test_an_mp4_and_a_glb_are_saved(page: Browser, running: Running) -> None:
    set_slider(page, "seconds", 2)
    page.click("#tab-save")
    page.run("document.getElementById('size').value = '640x480'")
    page.run("document.querySelectorAll('#outputs details').forEach((one) => (one.open = true))")
    page.click("#outputs [title='A textured mesh.']")  # the first one: GLB
    assert page.run("document.getElementById('save').textContent") == "Save 2 files"
    page.wait("document.getElementById('commands').textContent.includes('depth3d mesh')")
    commands = page.run("document.getElementById('commands').textContent").splitlines()
    assert commands[0].startswith("depth3d animate flower.jpg --")
    assert "--seconds 2" in commands[0]
    assert page.run("/^Takes about \\d+ (s|min)/.test(document.getElementById('estimate').textContent)")
    page.click("#save")
    page.wait("document.querySelectorAll('#jobs [data-state=done]').length === 2", 120)
    clip = (running.results / "flower_3d.mp4").read_bytes()
    assert clip[4:8] == b"ftyp"
    mesh = (running.results / "flower.glb").read_bytes()
    assert struct.unpack("<4sII", mesh[:12]) == (b"glTF", 2, len(mesh))
    page.click("#jobs button[aria-label^=Play]")
    page.wait("document.getElementById('player').currentTime > 0.1")
    page.click("#close-player")


def test_a_preset_chooses_its_output_and_settings(page: Browser) -> None:
    page.click("#tab-save")
    page.click("[data-preset=quest]")
    page.wait("/^depth3d stereo flower.jpg/.test(document.getElementById('commands').textContent)")
    assert page.run("document.getElementById('parallax').value") == "2.5"
    page.click("[data-preset=facebook]")
    page.wait("document.getElementById('commands').textContent.includes('--facebook')")
    page.click("[data-preset=facebook]")
    set_slider(page, "parallax", 2)


def test_a_facebook_post_and_a_photo_for_a_headset_are_saved(page: Browser, running: Running) -> None:
    page.click("#tab-save")
    for preset, command in (("facebook", "--facebook"), ("quest", "depth3d stereo")):
        page.click(f"[data-preset={preset}]")
        page.wait(f"document.getElementById('commands').textContent.includes('{command}')")
        assert page.run("document.getElementById('save').textContent") == "Save"
        before = page.run("document.querySelectorAll('#jobs li').length")
        page.click("#save")
        page.wait(f"document.querySelectorAll('#jobs li').length > {before}")
        page.wait("document.querySelector('#jobs li:first-child').dataset.state === 'done'", 120)
        saved = page.run("document.querySelector('#jobs li:first-child b').textContent").split(", ")
        sizes = [open_image(running.results / name).size for name in saved]
        if preset == "facebook":
            assert sum(name.endswith("_depth.jpg") for name in saved) == 1
            assert len(saved) == 2
            assert sizes[0] == sizes[1]
        else:
            assert saved == ["flower_LRF_Full_SBS.jpg"]
            assert sizes[0].aspect == pytest.approx(2 * 640 / 427, abs=0.02)
        page.click(f"[data-preset={preset}]")
    set_slider(page, "parallax", 2)


def test_results_are_never_replaced(page: Browser, running: Running) -> None:
    mesh = running.results / "flower.glb"
    _, state = running.ask("api/state")
    request = {"item": state["items"][0]["key"], "outputs": ["mesh:.glb"], "options": {"detail": 64}}
    if not mesh.exists():  # another test may have saved it
        assert running.ask("api/jobs", request)[0] == 200
        page.wait("[...document.querySelectorAll('#jobs b')].some((one) => one.textContent === 'flower.glb')")
    before = mesh.stat().st_mtime_ns
    assert running.ask("api/jobs", request)[0] == 200
    page.wait("[...document.querySelectorAll('#jobs b')].some((one) => one.textContent === 'flower-2.glb')")
    assert (running.results / "flower-2.glb").is_file()
    assert mesh.stat().st_mtime_ns == before


def test_it_works_with_the_keyboard(page: Browser) -> None:
    page.run("document.getElementById('tab-save').focus()")
    page.press("ArrowRight")  # round to the first shown tab
    assert page.run("document.activeElement.id") == "tab-move"
    page.press("Tab")
    assert page.run("document.activeElement.dataset.path") == "circle"
    page.press("ArrowRight")
    assert page.run("document.activeElement.dataset.path") == "swing"
    assert page.run("document.activeElement.getAttribute('aria-checked')") == "true"


def test_every_control_has_a_name(page: Browser) -> None:
    nameless = page.run(
        "[...document.querySelectorAll('button, input, select, canvas, a')].filter((one) => one.id !== 'files' &&"
        " one.getAttribute('aria-hidden') !== 'true' && !one.textContent.trim() && !one.labels?.length &&"
        " !one.getAttribute('aria-label')).map((one) => one.outerHTML)"
    )
    assert nameless == []


@pytest.mark.parametrize("dark", [False, True])
def test_the_phone_s_page_fits(running: Running, dark: bool) -> None:
    with Browser(390, 844, dark=dark) as phone:
        phone.open(running.address)
        phone.wait(f"{PICTURE} === 'ready'")
        assert phone.run("document.documentElement.scrollWidth") == 390
        background = phone.picture()[2, 2]
        assert background.max() < 60 if dark else background.min() > 200
        small = phone.run(
            "[...document.querySelectorAll('#panel button')].filter((one) => one.offsetParent &&"
            " one.offsetHeight < 34).map((one) => one.outerHTML)"
        )
        assert small == []  # fingers need room
        assert phone.problems == []


def test_two_tabs_see_the_same_files(page: Browser, running: Running) -> None:
    with Browser() as other:
        other.open(running.address)
        other.wait("document.querySelectorAll('#items li').length >= 1")
        count = json.dumps(page.run("document.querySelectorAll('#items li').length"))
        assert other.run(f"document.querySelectorAll('#items li').length === {count}")
        assert other.problems == []


def test_relief_changes_the_depth_at_once_and_stands_in_the_command(page: Browser) -> None:
    drawn = "document.getElementById('depth').toDataURL()"
    before = page.run(drawn)
    page.click("#tab-depth")
    set_slider(page, "relief", 3)
    page.wait(f"{drawn} !== {json.dumps(before)}")
    page.wait("document.getElementById('how').textContent.endsWith('relief 3')")
    page.click("#tab-save")
    page.wait("document.getElementById('commands').textContent.includes('--relief 3')")
    set_slider(page, "relief", 0)
    page.wait("!document.getElementById('how').textContent.includes('relief')")
    page.wait(f"{PICTURE} === 'ready' && document.getElementById('busy').hidden")


def gray_at(page: Browser, x: float, y: float) -> float:
    """Gray of the depth map's canvas at a place, 0..255."""
    place = f"Math.floor({x} * c.width), Math.floor({y} * c.height)"
    return float(
        page.run(
            f"(() => {{ const c = document.getElementById('depth');"
            f" return c.getContext('2d').getImageData({place}, 1, 1).data[0]; }})()"
        )
    )


def test_a_stroke_changes_the_depth_and_is_kept(page: Browser, running: Running) -> None:
    page.click("#tab-depth")
    page.wait("document.querySelector('#brushes [data-tool=nearer]')")
    set_slider(page, "brush-strength", 40)
    before = gray_at(page, 0.12, 0.6)
    shown_before = shown(page)
    page.click("[data-tool=nearer]")
    box = page.run(
        "(() => { const c = document.getElementById('depth'), r = c.getBoundingClientRect(),"
        " s = Math.min(r.width / c.width, r.height / c.height), w = c.width * s, h = c.height * s;"
        " return [r.x + (r.width - w) / 2, r.y + (r.height - h) / 2, w, h]; })()"
    )
    at = [(box[0] + box[2] * 0.12, box[1] + box[3] * y) for y in (0.3, 0.36, 0.42, 0.48)]
    page.run("document.getElementById('picture').dataset.seen = performance.now()")
    page.drag(at)
    page.wait("!document.getElementById('undo').disabled")
    page.click("[data-tool=nearer]")  # the brush is put away: the plain map again
    until = time.monotonic() + 60
    while abs(gray_at(page, 0.14, 0.4) - before) < 40:
        assert time.monotonic() < until, "the stroke changes nothing"
        time.sleep(0.1)
    page.wait(f"{PICTURE} === 'ready'")
    page.click("#keep")
    page.wait("document.getElementById('toast').textContent.includes('flower_hints.png')")
    kept = running.results / "flower_hints.png"
    assert kept.is_file()
    facts = json.loads(kept.with_suffix(".json").read_text())
    assert [stroke["kind"] for stroke in facts["strokes"]] == ["nearer"]
    page.click("#tab-save")
    page.wait("document.getElementById('commands').textContent.includes('--hints flower_hints.png')")
    page.click("#tab-depth")
    page.click("#undo")
    page.wait("document.getElementById('undo').disabled && !document.getElementById('redo').disabled")
    until = time.monotonic() + 60
    while abs(gray_at(page, 0.14, 0.4) - before) > 20:
        assert time.monotonic() < until, "undo changes nothing"
        time.sleep(0.1)
    assert shown_before.shape
