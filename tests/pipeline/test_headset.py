"""The pages in an emulated headset (npm's iwer): both enter immersive 3D, each eye sees its own picture, both leave."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import Browser
from numpy.typing import NDArray

import depth3d as d3
from depth3d.depthmap import DepthMap
from depth3d.image import Image
from depth3d.io.gallery import gallery_html
from depth3d.io.pageserver import PageServer
from depth3d.io.viewer import Page, RgbdImage, write_page
from depth3d.pipeline.gallery import gallery_items

RED, BLUE = (220, 20, 20), (20, 20, 220)
# Somewhere in the room, the head turned to the left: the origin of many headsets is on the floor.
EMULATOR = """
;(() => {
  const device = new IWER.XRDevice(IWER.metaQuest3);
  device.installRuntime({ forceInstall: true });
  device.stereoEnabled = true;
  device.position.set(0.7, 1.1, -0.4);
  device.quaternion.set(0, Math.sin(0.4), 0, Math.cos(0.4));
  window.device = device;
})();
"""


@pytest.fixture
def headset() -> Iterator[Browser]:
    """Chromium with a headset."""
    modules = os.environ.get("DEPTH3D_NODE_MODULES", "")
    program = Path(modules, "iwer", "build", "iwer.min.js")
    if not modules or not program.is_file():
        pytest.skip("needs DEPTH3D_NODE_MODULES = a node_modules folder with iwer")
    with Browser(900, 600) as browser:
        browser.before(program.read_text(encoding="utf-8") + EMULATOR)
        yield browser
        assert [said for said in browser.problems if "willReadFrequently" not in said] == []


def eyes(browser: Browser, color: tuple[int, int, int]) -> list[NDArray[np.float64]]:
    """(column, row) of the middle of a color in each half of the page, once both eyes see it or 20 s have gone."""
    for _ in range(40):
        picture = browser.picture().astype(int)
        halves = [np.nonzero((np.abs(half - color) < 30).all(2)) for half in (picture[:, :450], picture[:, 450:])]
        if all(len(rows) > 200 for rows, _ in halves):
            break
        browser.run("new Promise((done) => setTimeout(done, 500))")
    return [np.array([columns.mean(), rows.mean()]) if len(rows) > 200 else np.zeros(2) for rows, columns in halves]


def test_the_photo_is_before_the_viewer_and_the_near_thing_is_crossed(headset: Browser, tmp_path: Path) -> None:
    pixels = np.full((200, 300, 3), 128, np.uint8)
    depth = np.zeros((200, 300), np.float32)
    pixels[70:130, 60:120], depth[70:130, 60:120] = RED, 1.0
    pixels[70:130, 180:240] = BLUE
    photo = RgbdImage(Image(pixels), DepthMap(depth))
    page = Page(photo, None, field_of_view=40, near=1, far=10, max_step=0.05)
    headset.open(write_page(page, tmp_path / "photo.html").as_uri())
    headset.wait("!document.getElementById('headset').hidden")
    headset.click("#headset")
    headset.wait("device.activeSession")
    near, far = eyes(headset, RED), eyes(headset, BLUE)
    assert all(place.any() for place in (*near, *far)), "an eye sees nothing"
    assert near[0][0] - near[1][0] > far[0][0] - far[1][0] + 3
    # Upright, the red square left of the blue one, both at the height of the eyes.
    assert near[0][0] < far[0][0] - 20
    assert abs(near[0][1] - far[0][1]) < 6
    headset.run("document.getElementById('headset').click()")
    headset.wait("!device.activeSession")
    headset.wait("document.documentElement.dataset.state === 'ready'")


def test_the_gallery_shows_each_eye_its_own_picture(headset: Browser, tmp_path: Path) -> None:
    colors = [Image(np.full((90, 120, 3), color, np.uint8)) for color in (RED, BLUE)]
    d3.save_image(d3.compose(d3.StereoPair(*colors), format="sbs"), tmp_path / "a_LRF_Full_SBS.png")
    items = gallery_items(tmp_path)
    with PageServer(0) as server:
        files = [item.path for item in items]
        html = gallery_html(items, ["./0"], "Gallery").encode()
        threading.Thread(target=server.serve, args=(html, lambda address: None, files), daemon=True).start()
        headset.open(f"{server.address}#item=1")
        headset.wait("depth3dPlayer.state.media && !document.getElementById('room').hidden")
        headset.click("#headset")
        headset.wait("device.activeSession && depth3dPlayer.state.session")
        headset.run("new Promise((done) => setTimeout(done, 2000))")
        picture = headset.picture().astype(int)
        left, right = picture[:, :450], picture[:, 450:]
        for half, own, other in ((left, RED, BLUE), (right, BLUE, RED)):
            assert (np.abs(half - own) < 30).all(2).sum() > 2000
            assert not (np.abs(half - other) < 30).all(2).any()
        headset.run("document.getElementById('headset').click()")
        headset.wait("!device.activeSession && !depth3dPlayer.state.session")
        server.shutdown()
