"""The classifier finds what is planted, and nothing where there is nothing."""

import numpy as np
import polars as pl
import pytest

from shopsynth.evaluate import measure_fidelity
from shopsynth.evaluate.fidelity._boosting import BoostedTrees
from shopsynth.evaluate.fidelity.discriminator import tell_apart

AREA, LOW, HIGH = (
    f"real histories told from others{bound}: AUC (0.5 is best)"
    for bound in ("", ", lower 95 % bound", ", upper 95 % bound")
)


def random(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@pytest.fixture
def figures(make_events, random_histories):
    real = make_events(random_histories(900, "r", 1), hours=7)

    def measure(made: pl.DataFrame, train: pl.DataFrame = real) -> dict[str, tuple[float, float]]:
        rows = measure_fidelity(train, train, made).iter_rows()
        return {name: (value, ceiling) for _, name, value, ceiling in rows}

    return measure


def test_trees_learn_what_no_single_feature_tells():
    x = random(0).random((2000, 3))
    y = ((x[:, 0] > 0.5) != (x[:, 1] > 0.5)).astype(float)
    fitted = BoostedTrees.fit(x[:1000], y[:1000])
    assert ((fitted.score(x[1000:]) > 0) == (y[1000:] == 1)).mean() > 0.95


def test_the_area_is_a_half_where_there_is_nothing_and_its_interval_holds_it():
    """Over ten draws; each draw is cross-fitted, so its own rows cannot flatter it."""
    areas = [
        tell_apart(random(seed).random((150, 4)), random(50 + seed).random((150, 4)), random(seed))
        for seed in range(10)
    ]
    assert np.mean([area for area, _, _ in areas]) == pytest.approx(0.5, abs=0.03)
    assert sum(low < 0.5 < high for _, low, high in areas) >= 8
    # 150 of each: the standard error of an area of a half is .033.
    widths = [high - low for _, low, high in areas]
    assert np.mean(widths) == pytest.approx(2 * 1.96 * 0.033, rel=0.15)


def test_a_known_shift_has_its_known_area():
    """Two normal distributions one standard deviation apart: Φ(1/√2) = .760."""
    zeros, ones = random(1).standard_normal((2000, 1)), 1 + random(2).standard_normal((2000, 1))
    area, low, high = tell_apart(zeros, ones, random(3))
    assert area == pytest.approx(0.760, abs=0.02)
    assert low < area < high < low + 0.04


def test_a_fresh_sample_of_the_shop_is_not_told_from_it(figures, make_events, random_histories):
    found = figures(make_events(random_histories(900, "s", 2), hours=7))
    for side in (0, 1):
        assert found[LOW][side] < found[AREA][side] < found[HIGH][side]
        assert found[AREA][side] == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("bend", ["no repeats", "hours", "order"])
def test_what_is_bent_is_told(figures, make_events, random_histories, bend):
    """Items that follow each other in a ring are only missed by who knows what follows what."""
    if bend == "no repeats":
        once = random_histories(900, "s", 2)
        single = {user: " ".join(dict.fromkeys(items.split())) for user, items in once.items()}
        found = figures(make_events(single, hours=7))
    elif bend == "hours":
        found = figures(make_events(random_histories(900, "s", 2), hours=24))
    else:
        rings = {f"r{i}": " ".join(f"i{(i + k) % 50}" for k in range(6)) for i in range(900)}
        jumps = {f"s{i}": " ".join(f"i{(i + 7 * k) % 50}" for k in range(6)) for i in range(900)}
        found = figures(make_events(jumps, hours=7), make_events(rings, hours=7))
    assert found[LOW][0] > 0.6
    assert found[AREA][1] == pytest.approx(0.5, abs=0.06)


def test_copies_look_more_typical_than_new_customers_do(figures, make_events):
    """Rare walks that synthetic histories repeat are not met among other real customers."""
    pairs = random(4).integers(0, 3000, (900, 5))
    real = {f"r{i}": " ".join(f"i{item}" for item in row) for i, row in enumerate(pairs)}
    copies = {f"s{i}": items for i, items in enumerate(real.values())}
    found = figures(make_events(copies), make_events(real))
    assert found[LOW][0] > 0.55
    assert found[AREA][1] == pytest.approx(0.5, abs=0.06)


def test_the_same_seed_gives_the_same_area(figures, make_events, random_histories):
    made = make_events(random_histories(300, "s", 2), hours=7)
    assert figures(made)[AREA] == figures(made)[AREA]


def test_too_few_users_say_nothing(figures, make_events, random_histories):
    assert AREA not in figures(make_events(random_histories(99, "s", 2)))
    assert AREA in figures(make_events(random_histories(100, "s", 2)))
