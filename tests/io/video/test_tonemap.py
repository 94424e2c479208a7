"""Tone mapping against the standards' own numbers."""

from __future__ import annotations

import numpy as np
import pytest

from depth3d.io.video.tonemap import ToneMapper, hlg_light, pq_light, tone_mapped


def test_pq_has_the_standard_values() -> None:
    # BT.2408 table 1: 203 cd/m2 is 58 % of the PQ signal, 1000 cd/m2 75 %, 100 cd/m2 51 %.
    assert pq_light(np.array([0.0, 0.508, 0.581, 0.7518, 1.0])) == pytest.approx([0, 100, 203, 1000, 10000], rel=0.01)


def test_hlg_has_the_standard_values() -> None:
    # BT.2408: reference white is 75 % of the HLG signal; full signal is the display's peak.
    grays = np.repeat(np.array([0.0, 0.75, 1.0])[:, None], 3, axis=1)
    assert hlg_light(grays)[:, 0] == pytest.approx([0, 203, 1000], rel=0.01, abs=0.1)


@pytest.mark.parametrize("transfer", [16, 18])
def test_gray_stays_gray_and_order_is_kept(transfer: int) -> None:
    grays = np.repeat(np.linspace(0, 1, 200)[:, None], 3, axis=1)
    toned = tone_mapped(grays, transfer)
    assert np.ptp(toned, axis=1).max() < 1e-3
    assert (np.diff(toned[:, 0]) >= 0).all()
    assert toned[0, 0] == 0
    assert toned[-1, 0] > 0.99


@pytest.mark.parametrize("transfer", [16, 18])
def test_the_table_is_close_to_the_formula(transfer: int) -> None:
    rng = np.random.default_rng(1)
    base = rng.uniform(0.05, 0.75, (40, 30, 1))
    code = np.clip(base + rng.uniform(-0.04, 0.04, (40, 30, 3)), 0, 1)
    expected = tone_mapped(code, transfer) * 255
    toned = ToneMapper(transfer)(np.round(code * 65535).astype(np.uint16))
    assert np.abs(toned - expected).mean() < 1.0
    # Only at the border of the gamut, where the formula has a kink, may the table be off by more.
    assert np.percentile(np.abs(toned - expected), 99) < 5
