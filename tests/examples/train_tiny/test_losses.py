"""The training loss ignores scale, shift and unknown pixels; the scores of known answers."""

from __future__ import annotations

import numpy as np
import pytest


def test_the_loss_ignores_scale_and_shift_and_nothing_else() -> None:
    torch = pytest.importorskip("torch")
    from losses import depth_loss

    truth = torch.rand(2, 32, 48, generator=torch.Generator().manual_seed(0))
    half = torch.nn.functional.avg_pool2d(truth[:, None], 2)[:, 0]
    assert float(depth_loss(3.0 * half + 7.0, truth)) < 1e-5
    assert float(depth_loss(-half, truth)) > 0.5


def test_unknown_depth_has_no_influence() -> None:
    torch = pytest.importorskip("torch")
    from losses import depth_loss, edge_ranking

    truth = torch.rand(2, 32, 48, generator=torch.Generator().manual_seed(0)) + 0.1
    guess = torch.nn.functional.avg_pool2d(truth[:, None], 2)[:, 0]
    truth[:, 8:16, 10:30] = torch.nan
    wrong = guess.clone()
    wrong[:, 4:8, 5:15] = 50.0
    assert float(depth_loss(wrong, truth)) < 1e-5
    nothing = torch.zeros_like(guess, dtype=torch.bool)
    assert float(edge_ranking(guess, guess, torch.ones_like(guess), nothing)) == 0.0


def test_ranking_wants_the_nearer_side_nearer() -> None:
    torch = pytest.importorskip("torch")
    from losses import edge_ranking

    target = torch.full((1, 40, 60), 0.2)
    target[:, :, 30:] = 1.0
    known = torch.ones_like(target, dtype=torch.bool)
    step = (target - 0.6) / 0.4
    right, flat, reversed_ = (float(edge_ranking(guess, step, target, known)) for guess in (step, 0 * step, -step))
    assert right == 0.0
    assert 0.0 < 1.5 * flat < reversed_
    blurred = torch.nn.functional.avg_pool2d(step[:, None], 9, 1, 4, count_include_pad=False)[:, 0]
    assert 0.0 < float(edge_ranking(blurred, step, target, known)) < flat


def test_log_depth_weighs_the_far_half_as_the_near_one() -> None:
    """Zero for an affine map, the mean error of log depth else; a negative fit and points at infinity stay finite."""
    torch = pytest.importorskip("torch")
    from losses import log_difference

    truth = torch.rand(2, 32, 48, generator=torch.Generator().manual_seed(0)) + 0.1
    known = torch.ones_like(truth, dtype=torch.bool)
    assert float(log_difference(4.0 * truth + 9.0, truth, known)) < 1e-4
    halves = torch.where(truth > 0.6, 1.0, 0.25)
    wrong = halves.clone()
    wrong[:, :8][halves[:, :8] < 0.5] = 0.2  # far points, farther still
    near = halves.clone()
    near[:, :8][halves[:, :8] > 0.5] = 0.95  # as much inverse depth, but near
    assert float(log_difference(wrong, halves, known)) > 2.0 * float(log_difference(near, halves, known))
    truth[:, :4] = 0.0
    guess = (truth - 5.0 * (truth < 0.3)).requires_grad_()
    loss = log_difference(guess, truth, known)
    loss.backward()
    assert 0.0 < loss.item() < 100.0
    assert guess.grad is not None
    assert bool(guess.grad.isfinite().all())


def test_edge_error_is_the_distance_of_the_edges() -> None:
    from metrics import EDGE_REACH, edge_error

    truth = np.full((240, 320), 0.2, np.float32)
    truth[:, 160:] = 1.0
    assert edge_error(truth, truth) == 0.0
    assert edge_error(np.roll(truth, 4, axis=1)[:, :], truth) == pytest.approx(4.0, abs=2.0)
    assert edge_error(np.full_like(truth, 0.5), truth) == EDGE_REACH
    assert np.isnan(edge_error(truth, np.full_like(truth, 0.5)))
    hidden = truth.copy()
    hidden[:, 150:170] = np.nan
    assert np.isnan(edge_error(truth, hidden))


def test_scores_of_known_answers() -> None:
    from metrics import score

    inverse = np.random.default_rng(0).uniform(0.1, 1.0, (40, 60)).astype(np.float32)
    perfect = score(5.0 * inverse + 2.0, inverse)
    assert perfect.absrel < 1e-3
    assert perfect.delta1 == 1.0
    assert perfect.ordinal == 1.0
    assert score(np.ones_like(inverse), inverse).ordinal == 0.5
    assert score(-inverse, inverse).ordinal == 0.0
