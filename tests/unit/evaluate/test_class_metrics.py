"""Metrics of classes: against scikit-learn, ties, and the standard error of macro-F1."""

import numpy as np
import polars as pl
import pytest

from shopsynth.evaluate import score_units
from shopsynth.evaluate.base import Classes
from shopsynth.evaluate.macro_f1 import MacroF1
from shopsynth.evaluate.scoring import metric_cutoffs
from shopsynth.schema import RANKING_COLUMNS, TRUTH_COLUMNS, InputError, Ranking

sklearn_metrics = pytest.importorskip("sklearn.metrics")


def said(rows: list[tuple[str, str, float]]) -> Ranking:
    """Unit, class and rank."""
    full = [(unit, name, -rank, rank) for unit, name, rank in rows]
    return Ranking(pl.DataFrame(full, schema=RANKING_COLUMNS, orient="row"))


def truth_of(classes: dict[str, str]) -> pl.DataFrame:
    rows = [(unit, name, 1.0) for unit, name in classes.items()]
    return pl.DataFrame(rows, schema=TRUTH_COLUMNS, orient="row")


def in_all(truth: pl.DataFrame) -> pl.DataFrame:
    return truth.select("unit_id", "item_id", pl.lit("all").alias("slice"))


def scored(ranking: Ranking, truth: pl.DataFrame, metric: str) -> pl.DataFrame:
    return score_units(ranking, truth, in_all(truth), [metric], [10])


def mean(frame: pl.DataFrame) -> float:
    return float(np.mean(frame["value"].to_numpy()))


@pytest.mark.parametrize("seed", range(5))
def test_they_equal_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    true = rng.choice(["a", "b", "c", "d"], 60, p=[0.6, 0.2, 0.15, 0.05])
    guess = np.where(rng.random(60) < 0.6, true, rng.choice(["a", "b", "c", "other"], 60))
    names = [f"u{n:02}" for n in range(60)]
    others = [(u, "last", 2.0) for u in names]
    ranking = said([*zip(names, guess.tolist(), [1.0] * 60, strict=True), *others])
    truth = truth_of(dict(zip(names, true.tolist(), strict=True)))
    expected = sklearn_metrics.f1_score(
        true, guess, labels=np.unique(true), average="macro", zero_division=0.0
    )
    assert mean(scored(ranking, truth, "macro_f1")) == pytest.approx(expected)
    right = sklearn_metrics.accuracy_score(true, guess)
    assert mean(scored(ranking, truth, "accuracy")) == pytest.approx(right)


def test_classes_that_tie_share_the_vote_even_where_the_list_is_cut() -> None:
    truth = truth_of({"u": "a", "v": "b"})
    tied = said([("u", "a", 1.5), ("u", "b", 1.5), ("v", "b", 2.0), ("v", "c", 2.0)])
    assert scored(tied, truth, "accuracy")["value"].to_list() == pytest.approx([1 / 2, 1 / 3])
    # a: TP 1/2, said 1/2, true 1; b: TP 1/3, said 1/2 + 1/3, true 1.
    expected = (1 / 1.5 + (2 / 3) / (11 / 6)) / 2
    assert mean(scored(tied, truth, "macro_f1")) == pytest.approx(expected)


def test_a_unit_of_which_nothing_is_said_is_wrong() -> None:
    truth = truth_of({"u": "a", "v": "a"})
    assert scored(said([("u", "a", 1.0)]), truth, "accuracy")["value"].to_list() == [1.0, 0.0]
    assert mean(scored(said([("u", "a", 1.0)]), truth, "macro_f1")) == pytest.approx(2 / 3)


def test_slices_have_their_own_classes() -> None:
    truth = truth_of({"u": "a", "v": "b"})
    part = in_all(truth).filter(pl.col("unit_id") == "u").with_columns(slice=pl.lit("one"))
    both = pl.concat([in_all(truth), part])
    ranking = said([("u", "a", 1.0), ("v", "a", 1.0)])
    found = score_units(ranking, truth, both, ["macro_f1"], [10, 20])
    values = dict(found.group_by("slice").agg(pl.col("value").mean()).iter_rows())
    assert values == pytest.approx({"all": 1 / 3, "one": 1.0})
    assert found["cutoff"].unique().to_list() == [0]
    assert list(metric_cutoffs("accuracy", [10])) == [0]


def test_a_unit_has_one_class() -> None:
    truth = pl.concat([truth_of({"u": "a"}), truth_of({"u": "b"})])
    with pytest.raises(InputError, match="one class of a unit"):
        scored(said([("u", "a", 1.0)]), truth, "accuracy")


def test_no_unit_has_no_value() -> None:
    none = np.zeros(0, np.int64)
    assert MacroF1().score(Classes(none, none, none, np.zeros(0))).shape == (0,)


def test_the_spread_of_its_values_is_the_standard_error_of_macro_f1() -> None:
    rng = np.random.Generator(np.random.PCG64(0))
    means, errors = [], []
    for _ in range(400):
        true = rng.choice(3, 300, p=[0.6, 0.3, 0.1])
        guess = np.where(rng.random(300) < 0.7, true, rng.choice(3, 300))
        values = MacroF1().score(Classes(true, np.arange(300), guess, np.ones(300)))
        means.append(values.mean())
        errors.append(values.std(ddof=1) / np.sqrt(300))
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.1)
