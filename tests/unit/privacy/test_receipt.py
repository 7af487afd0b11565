"""The receipt adds up as the accountant does, and tells each part beside the whole."""

import math

import pytest

from shopsynth.privacy import Charge, release_receipt
from shopsynth.privacy.accounting import compose


def test_four_gaussians_cost_the_root_of_their_squares_and_less_than_their_sum():
    paid = [("markov", Charge(f"step {i}", "gaussian", 4.0 + i)) for i in range(4)]
    found = release_receipt(paid, delta=1e-6)
    assert found["mu"] == pytest.approx(math.sqrt(sum(1 / (4 + i) ** 2 for i in range(4))))
    assert found["epsilon"] == compose([charge for _, charge in paid]).epsilon(1e-6)
    alone = [charge["epsilon"] for charge in found["mechanisms"]]
    assert alone == sorted(alone, reverse=True)
    assert found["naive_epsilon"] == pytest.approx(sum(alone))
    assert found["epsilon"] < 0.75 * found["naive_epsilon"]
    assert found["mechanisms"][0]["actor"] == "markov"


def test_a_loss_without_a_bound_is_told_as_none():
    paid = [("broken", Charge("threshold", "gaussian", 4.0, slack=1e-3))]
    found = release_receipt(paid, delta=1e-6)
    assert (found["epsilon"], found["mu"], found["naive_epsilon"]) == (None, None, None)


def test_nothing_paid_costs_nothing():
    assert release_receipt([], delta=1e-6) == {
        "epsilon": 0.0, "delta": 1e-6, "mu": 0.0, "naive_epsilon": 0.0, "mechanisms": [],
    }  # fmt: skip
