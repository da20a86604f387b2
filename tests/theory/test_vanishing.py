"""Vanishing gradients: closed forms, known optima, and the committed page."""

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.theory import critics
from benchmarks.theory.critics import RULES, scene, score, shift_gradient, slope, trained
from benchmarks.theory.page import draw, page
from benchmarks.theory.vanishing import (
    APART,
    MEASURED_AT,
    NUMBERS,
    REPEATS,
    VANISHING_PAGE,
    geometric,
    run,
    summary,
    verdict,
    word,
)  # fmt: skip
from zoo.losses import quadratic_potential


def one(weights: critics.Weights, i: int = 0) -> critics.Weights:
    return {name: weight[i] for name, weight in weights.items()}


def test_the_page_holds_the_committed_numbers() -> None:
    numbers = json.loads(NUMBERS.read_text())
    assert VANISHING_PAGE.read_text() == page(numbers)
    assert numbers["seeds"] == REPEATS
    assert numbers["distances"] == [APART[0], APART[-1]]
    assert numbers["updates"] == [MEASURED_AT[0], MEASURED_AT[-1]]
    for loss, verdicts in numbers["losses"].items():
        cells = [c for c in numbers["cells"] if c["loss"] == loss]
        words = [word(c["low"], c["high"]) for c in cells]
        assert verdicts == {"training": verdict(words[:-1]), "distance": words[-1]}
        assert [c["distance"] for c in cells] == [*APART, None]
        # the last gradients' means have the ratio of the two ends
        assert cells[-1]["ratio"] == pytest.approx(cells[-2]["gradient"] / cells[0]["gradient"])


def test_the_committed_gradients_are_those_of_the_optima() -> None:
    cells = json.loads(NUMBERS.read_text())["cells"]
    for cell in (c for c in cells if c["distance"] is not None):
        if cell["loss"] == "WGAN-GP":  # minimum over s of -s distance + penalty (s - 1)^2
            expected = 1 + cell["distance"] / (2 * critics.PENALTY)
            assert cell["gradient"] == pytest.approx(expected, rel=0.01)
        if cell["loss"] == "GAN-QP":
            expected = critics.STRENGTH / 2**0.5
            assert cell["gradient"] == pytest.approx(expected, rel=0.15)


def test_wgans_critic_has_a_slope_of_about_one_between_the_supports() -> None:
    supports = scene([1.0], [0])
    ((_, weights),) = trained("wgan_gp", supports, [0], [300])
    share = torch.linspace(0.1, 0.9, 9)[:, None]
    way = share * supports.real[0].mean(0) + (1 - share) * supports.fake[0].mean(0)
    assert slope(one(weights), way).mean() == pytest.approx(1.05, abs=0.1)


def test_gan_qps_optimum_for_two_points_is_lambda_times_their_distance() -> None:
    distance, values = torch.tensor([0.7], dtype=torch.double), torch.zeros(2, dtype=torch.double)
    for _ in range(200):  # T is a table of two values

        def loss(table: torch.Tensor) -> torch.Tensor:
            difference = table[:1] - table[1:]
            return quadratic_potential(difference, distance, critics.STRENGTH) - difference.mean()

        values = values - 2 * torch.func.grad(loss)(values)
    assert float(values[0] - values[1]) == pytest.approx(critics.STRENGTH * 0.7)


def test_gan_qps_loss_is_its_formula_over_all_pairs() -> None:
    supports, weights = scene([1.0], [3]), one(critics.first_weights([3], 1))
    real, fake = supports.real[0], supports.fake[0]
    t_real, t_fake = score(weights, real).double(), score(weights, fake).double()
    expected = 0.0
    for i, j in product(range(len(real)), range(len(fake))):
        d = float((real[i] - fake[j]).abs().mean())
        dt = float(t_real[i] - t_fake[j])
        expected += (dt**2 / (2 * 10 * d) - dt) / len(real) ** 2
    given = critics.CRITIC_LOSSES["gan_qp"](weights, critics.Scene(*(part[0] for part in supports)))
    assert float(given) == pytest.approx(expected, rel=1e-4)


def test_the_optimal_table_of_gan_qp_slopes_lambda_over_root_two() -> None:
    """Apart in both coordinates, lambda d of all pairs is a difference of one linear T."""
    real = 0.05 * torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    fake = real + torch.tensor([1.0, -2.0])
    steepest = -critics.STRENGTH / 2 * torch.tensor([1.0, -1.0])
    difference = (real @ steepest)[:, None] - fake @ steepest
    torch.testing.assert_close(
        difference, critics.STRENGTH * (real[:, None] - fake).abs().mean(dim=2)
    )
    assert float(steepest.norm()) == pytest.approx(critics.STRENGTH / 2**0.5)


def test_both_gradients_of_the_gan_are_their_closed_forms() -> None:
    supports = scene([0.5, 2.0], [1, 2])
    ((_, weights),) = trained("gan", supports, [1, 2], [20])
    for i in range(4):
        fake = supports.fake[i].clone().requires_grad_()
        s = score(one(weights, i), fake)
        (by_point,) = torch.autograd.grad(s.sum(), fake)
        d = torch.sigmoid(s.detach())[:, None]
        for loss, factor in (("GAN, saturating", d), ("GAN, non-saturating", 1 - d)):
            given = shift_gradient(RULES[loss], weights, supports.fake)[i]
            torch.testing.assert_close(given, -(factor * by_point).mean(0))


def test_a_seed_is_the_same_beside_others() -> None:
    both = run(seeds=(0, 1), distances=(0.5, 4.0), at=(2, 5))
    alone = run(seeds=(1,), distances=(4.0,), at=(2, 5))
    same = both[(both.seed == 1) & (both.distance == 4.0)].reset_index(drop=True)
    assert len(both) == len(RULES) * 2 * 2 * 2
    pd.testing.assert_frame_equal(same, alone, rtol=1e-4)
    assert not both.duplicated(["loss", "distance", "seed", "updates"]).any()


def test_supports_are_one_blob_and_its_shift() -> None:
    supports = scene(APART, [0, 1])
    shift = supports.fake - supports.real
    lengths = shift.norm(dim=2)
    torch.testing.assert_close(lengths, torch.tensor(APART).repeat(2)[:, None].expand_as(lengths))
    assert not torch.equal(supports.real[0], supports.real[len(APART)])


def test_words() -> None:
    assert word(0.01, 0.099) == "vanishes"
    assert word(0.101, 3) == "does not vanish"
    assert word(0.05, 0.2) == "open"
    assert verdict(["open", "vanishes"]) == "vanishes"
    assert verdict(["open", "does not vanish"]) == "open"
    assert verdict(["does not vanish"] * 2) == "does not vanish"


def test_the_interval_is_students_of_logarithms() -> None:
    # logs 0, 1, 2: mean 1, standard error 1 / sqrt(3), t of 2 degrees 4.3027
    half = 4.302653 / 3**0.5
    assert geometric(np.exp([0.0, 1.0, 2.0])) == pytest.approx(np.exp([1, 1 - half, 1 + half]))
    assert geometric([2.0]) == pytest.approx((2.0, 0.0, float("inf")))


def test_summary_divides_the_last_by_the_first(tmp_path) -> None:
    rows = [
        ("GAN-QP", distance, seed, updates, distance * updates * (1 + seed))
        for distance, seed, updates in product((1.0, 4.0), (0, 1), (10, 20))
    ]
    frame = pd.DataFrame(rows, columns=["loss", "distance", "seed", "updates", "gradient"])
    numbers = summary(frame)
    near, far, across = numbers["cells"]
    assert (near["ratio"], far["ratio"]) == pytest.approx((2, 2))
    assert across["ratio"] == pytest.approx(4)
    assert near["gradient"] == pytest.approx(20 * 2**0.5)
    assert numbers["losses"] == {
        "GAN-QP": {"training": "does not vanish", "distance": "does not vanish"}
    }
    assert "| GAN-QP | 2 [2, 2] |" in page(numbers)
    draw(frame, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
