"""Metrics of the lists themselves: against definitions, and their spread against the truth."""

import math

import numpy as np
import polars as pl
import pytest

from shopsynth.evaluate import METRICS, Lists, count_catalogue, score_units
from shopsynth.schema import RANKING_COLUMNS, TRUTH_COLUMNS, InputError, Ranking


def coverage(lists: list[list[int]], n_items: int) -> float:
    return len({item for row in lists for item in row}) / n_items


def gini(lists: list[list[int]], n_items: int) -> float:
    """The definition: mean difference of all pairs of items, over twice the mean."""
    exposure = np.bincount([item for row in lists for item in row], minlength=n_items)
    if not exposure.any():
        return 1.0
    apart = np.abs(np.subtract.outer(exposure, exposure)).mean()
    return float(apart / (2 * exposure.mean()))


OBVIOUS = {"coverage": coverage, "gini": gini}


def as_lists(rows: list[list[int]], n_items: int) -> Lists:
    return Lists(
        unit=np.repeat(np.arange(len(rows)), [len(row) for row in rows]),
        item=np.array([item for row in rows for item in row], dtype=np.int64),
        rank=np.array([rank for row in rows for rank in range(1, len(row) + 1)], dtype=float),
        n_units=len(rows),
        n_events=np.zeros(n_items, dtype=np.int64),
    )


def draw(generator: np.random.Generator, n_units: int, n_items: int, length: int) -> np.ndarray:
    """Lists of people of ten tastes over items of Zipf popularity, shape (units, length)."""
    worth = -0.8 * np.log(np.arange(1, n_items + 1)) + generator.gumbel(size=(n_units, n_items))
    taste = generator.integers(0, 10, n_units)
    worth += 2 * (np.arange(n_items) % 10 == taste[:, None])
    return np.asarray(np.argpartition(-worth, length, axis=1)[:, :length])


@pytest.mark.parametrize("name", ["coverage", "gini"])
@pytest.mark.parametrize("seed", range(20))
def test_values_are_the_jackknife_of_the_definition(name, seed):
    generator = np.random.Generator(np.random.PCG64(seed))
    n_items = int(generator.integers(5, 40))
    rows = [
        generator.permutation(n_items)[: generator.integers(0, 6)].tolist()
        for _ in range(generator.integers(2, 12))
    ]
    values = METRICS.get(name)().score(as_lists(rows, n_items), 10)
    whole = OBVIOUS[name](rows, n_items)
    without = np.array([OBVIOUS[name](rows[:u] + rows[u + 1 :], n_items) for u in range(len(rows))])
    assert values.mean() == pytest.approx(whole, abs=1e-12)
    if any(sum(map(len, rows)) == len(row) for row in rows):
        return  # One unit alone has a list: nothing is left without it.
    expected = whole + (len(rows) - 1) * (without.mean() - without)
    assert values == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("n_units", "n_items", "length"), [(300, 200, 5), (300, 1000, 10), (200, 2000, 10)]
)
def test_the_spread_is_that_of_new_users_and_errs_to_the_safe_side(n_units, n_items, length):
    """Drawn anew, shops show how far chance moves both figures; the stated ratios hold."""
    generator = np.random.Generator(np.random.PCG64(3))
    shops = [draw(generator, n_units, n_items, length).tolist() for _ in range(120)]
    for name, most in (("coverage", 2.0), ("gini", 1.5)):
        truth = float(np.std([OBVIOUS_FAST[name](rows, n_items) for rows in shops], ddof=1))
        told = [
            METRICS.get(name)().score(as_lists(rows, n_items), length).std(ddof=1)
            / math.sqrt(n_units)
            for rows in shops[:15]
        ]
        # 120 shops know their spread within 13 %, twice its standard error.
        assert 0.87 < float(np.mean(told)) / truth < most, name


def fast_gini(lists: list[list[int]], n_items: int) -> float:
    exposure = np.sort(np.bincount(np.ravel(lists), minlength=n_items))
    return float((2 * np.arange(1, n_items + 1) - n_items - 1) @ exposure) / (
        n_items * exposure.sum()
    )


OBVIOUS_FAST = {"coverage": coverage, "gini": fast_gini}


def test_the_paired_difference_of_two_arms_has_the_spread_of_new_users():
    """What an uplift rests on: two arms on the same users, one with a flatter taste."""
    generator = np.random.Generator(np.random.PCG64(4))
    n_units, n_items, length = 300, 600, 10
    flatter = 0.3 * np.log(np.arange(1, n_items + 1))
    truths: dict[str, list[float]] = {"coverage": [], "gini": []}
    told: dict[str, list[float]] = {"coverage": [], "gini": []}
    for _ in range(150):
        worth = -0.8 * np.log(np.arange(1, n_items + 1))
        worth = worth + generator.gumbel(size=(n_units, n_items))
        arms = [np.argsort(-each, axis=1)[:, :length].tolist() for each in (worth, worth + flatter)]
        for name, differences in truths.items():
            first, second = (METRICS.get(name)().score(as_lists(a, n_items), length) for a in arms)
            differences.append(float(second.mean() - first.mean()))
            told[name].append(float((second - first).std(ddof=1)) / math.sqrt(n_units))
    for name, most in (("coverage", 2.0), ("gini", 1.5)):
        ratio = np.mean(told[name]) / np.std(truths[name], ddof=1)
        assert 0.87 < ratio < most, name


def test_resampling_units_moves_both_figures_so_that_it_is_no_yardstick():
    generator = np.random.Generator(np.random.PCG64(3))
    rows = draw(generator, 300, 1000, 10)
    again = [rows[generator.integers(0, 300, 300)].tolist() for _ in range(200)]
    for name, figure, far in (("coverage", coverage, -0.08), ("gini", fast_gini, 0.04)):
        resampled = [figure(each, 1000) for each in again]
        whole = figure(rows.tolist(), 1000)
        assert whole == pytest.approx({"coverage": 0.78, "gini": 0.64}[name], abs=0.01)
        low, high = np.quantile(resampled, [0.025, 0.975])
        assert (high < whole + far) if far < 0 else (low > whole + far), name


# ---- through score_units -------------------------------------------------------------------------

LISTS = {"ann": [("a", 1.0), ("b", 2.0)], "bob": [("a", 1.0), ("c", 2.0)], "eve": [("a", 1.0)]}
ITEMS = pl.DataFrame({"item_id": ["a", "b", "c", "d"]})
EVENTS = pl.DataFrame({"item_id": ["a"] * 9 + ["b"] * 2 + ["c"]})


def ranking_of(lists: dict[str, list[tuple[str, float]]]) -> Ranking:
    rows = [(unit, item, -rank, rank) for unit, row in lists.items() for item, rank in row]
    return Ranking(pl.DataFrame(rows, schema=RANKING_COLUMNS, orient="row"))


def asked(slices: dict[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One answer each for the users named; everybody is in slice all."""
    truth = pl.DataFrame([(unit, "d", 1.0) for unit in LISTS], schema=TRUTH_COLUMNS, orient="row")
    rows = [(unit, "d", "all") for unit in LISTS] + [(u, "d", s) for u, s in slices.items()]
    return truth, pl.DataFrame(rows, schema=["unit_id", "item_id", "slice"], orient="row")


def means(scored: pl.DataFrame) -> dict[tuple[str, int, str], float]:
    rows = scored.group_by("metric", "cutoff", "slice").agg(pl.col("value").mean())
    return {(m, c, s): value for m, c, s, value in rows.iter_rows()}


def test_the_catalogue_counts_items_nobody_bought():
    counted = count_catalogue(ITEMS, EVENTS)
    assert counted.to_dict(as_series=False) == {
        "item_id": ["a", "b", "c", "d"],
        "n_events": [9, 2, 1, 0],
    }


def test_worked_example():
    """Three lists over four items; slice new holds bob and eve alone."""
    truth, membership = asked({"bob": "new", "eve": "new"})
    scored = score_units(
        ranking_of(LISTS),
        truth,
        membership,
        ["coverage", "gini", "novelty"],
        [1, 2],
        catalogue=count_catalogue(ITEMS, EVENTS),
    )
    found = means(scored)
    assert found["coverage", 1, "all"] == pytest.approx(1 / 4)
    assert found["coverage", 2, "all"] == pytest.approx(3 / 4)
    assert found["coverage", 2, "new"] == pytest.approx(2 / 4)
    assert found["gini", 1, "all"] == pytest.approx(3 / 4)
    assert found["gini", 2, "all"] == pytest.approx(gini([[0, 1], [0, 2], [0]], 4))
    assert found["gini", 2, "new"] == pytest.approx(gini([[0, 2], [0]], 4))
    bits = {item: math.log2(16 / (n + 1)) for item, n in zip("abcd", (9, 2, 1, 0), strict=True)}
    novelty = scored.filter(metric="novelty", cutoff=2, slice="all")
    assert dict(novelty.select("unit_id", "value").iter_rows()) == pytest.approx(
        {
            "ann": (bits["a"] + bits["b"]) / 2,
            "bob": (bits["a"] + bits["c"]) / 2,
            "eve": bits["a"],
        }
    )


def test_the_jackknife_is_taken_within_the_slice():
    """In slice new only bob's list holds c; in slice all ann's b is as rare."""
    truth, membership = asked({"bob": "new", "eve": "new"})
    scored = score_units(
        ranking_of(LISTS),
        truth,
        membership,
        ["coverage"],
        [2],
        catalogue=count_catalogue(ITEMS, EVENTS),
    )
    new = dict(scored.filter(slice="new").select("unit_id", "value").iter_rows())
    # Two units; without bob 1 of 4 is covered, without eve 2 of 4.
    assert new == pytest.approx({"bob": 0.5 + 0.125, "eve": 0.5 - 0.125})
    alone = score_units(
        ranking_of(LISTS),
        truth,
        membership.filter(pl.col("slice") == "new"),
        ["coverage"],
        [2],
        catalogue=count_catalogue(ITEMS, EVENTS),
    )
    assert alone.equals(scored.filter(slice="new"))


def test_a_tie_at_the_cutoff_is_in_or_out_as_a_whole_and_order_does_not_matter():
    lists = {unit: [("a", 1.0), ("b", 2.5), ("c", 2.5)] for unit in LISTS}
    truth, membership = asked({})
    for cutoff, expected in ((2, 1 / 4), (3, 3 / 4)):
        ranking = ranking_of(lists)
        results = [
            score_units(
                each,
                truth,
                membership,
                ["coverage", "gini", "novelty"],
                [cutoff],
                catalogue=count_catalogue(ITEMS, EVENTS),
            )
            for each in (ranking, Ranking(ranking.frame.reverse()))
        ]
        assert means(results[0])["coverage", cutoff, "all"] == pytest.approx(expected)
        assert results[0].equals(results[1])


def test_a_unit_without_a_list_and_nobody_with_one():
    truth, membership = asked({})
    catalogue = count_catalogue(ITEMS, EVENTS)
    metrics = ["coverage", "gini", "novelty"]
    one = score_units(
        ranking_of({"ann": [("a", 1.0)]}), truth, membership, metrics, [2], catalogue=catalogue
    )
    assert one.height == 3 * len(LISTS)
    assert means(one)["coverage", 2, "all"] == pytest.approx(1 / 4)
    assert means(one)["gini", 2, "all"] == pytest.approx(3 / 4)
    assert one.filter(unit_id="bob", metric="novelty")["value"].to_list() == [0]
    none = score_units(ranking_of({}), truth, membership, metrics, [2], catalogue=catalogue)
    assert means(none) == {
        ("coverage", 2, "all"): 0,
        ("gini", 2, "all"): 1,
        ("novelty", 2, "all"): 0,
    }


def test_nothing_asked_is_nothing_scored():
    truth, membership = asked({})
    scored = score_units(
        ranking_of(LISTS),
        truth,
        membership.clear(),
        ["coverage", "auroc"],
        [2],
        catalogue=count_catalogue(ITEMS, EVENTS),
    )
    assert scored.is_empty()


def test_a_missing_catalogue_an_unknown_item_and_a_repeated_one_are_refused():
    truth, membership = asked({})
    with pytest.raises(InputError, match=r"got no catalogue; pass catalogue=count_catalogue"):
        score_units(ranking_of(LISTS), truth, membership, ["gini"], [2])
    catalogue = count_catalogue(ITEMS.head(2), EVENTS)
    with pytest.raises(InputError, match=r"got 1 row\(s\) of the ranking about other items"):
        score_units(ranking_of(LISTS), truth, membership, ["gini"], [2], catalogue=catalogue)
    twice = ranking_of({"ann": [("a", 1.0), ("a", 2.0)]})
    catalogue = count_catalogue(ITEMS, EVENTS)
    with pytest.raises(InputError, match=r"once in the ranking, got 1 repeated"):
        score_units(twice, truth, membership, ["novelty"], [2], catalogue=catalogue)
