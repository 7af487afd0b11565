"""Metrics against values worked out by hand and against independent implementations."""

import math

import ir_measures
import numpy as np
import polars as pl
import pytest
from scipy.stats import rankdata

from shopsynth.evaluate import METRICS, list_length, score_units
from shopsynth.report.labels import LOWER_IS_BETTER
from shopsynth.report.labels import METRICS as LABELS
from shopsynth.schema import (
    RANKING_COLUMNS,
    TRUTH_COLUMNS,
    InputError,
    Ranking,
    UnknownNameError,
)

ALL = ("ndcg", "recall", "mrr", "hit_rate", "map", "precision")
LISTS = ("novelty", "coverage", "gini")
PAIRS = ("auroc", "auprc", "rmse", "f1")
CLASSES = ("accuracy", "macro_f1")


def ranking_of(lists: dict[str, list[tuple[str, float]]]) -> Ranking:
    rows = [(unit, item, -rank, rank) for unit, row in lists.items() for item, rank in row]
    return Ranking(pl.DataFrame(rows, schema=RANKING_COLUMNS, orient="row"))


def truth_of(answers: dict[str, dict[str, float]]) -> pl.DataFrame:
    rows = [(unit, item, float(g)) for unit, row in answers.items() for item, g in row.items()]
    return pl.DataFrame(rows, schema=TRUTH_COLUMNS, orient="row")


def everywhere(truth: pl.DataFrame) -> pl.DataFrame:
    return truth.select("unit_id", "item_id", pl.lit("all").alias("slice"))


def values(scored: pl.DataFrame, metric: str, cutoff: int, slice_: str = "all") -> dict[str, float]:
    rows = scored.filter(
        pl.col("metric") == metric, pl.col("cutoff") == cutoff, pl.col("slice") == slice_
    )
    return dict(rows.select("unit_id", "value").iter_rows())


def test_the_metrics_are_all_there():
    assert METRICS.names() == sorted([*ALL, *LISTS, *PAIRS, *CLASSES])


def test_every_metric_says_what_it_is_shown_and_which_way_it_improves():
    kinds = {name: METRICS.get(name).kind for name in METRICS.names()}
    expected = {"ranking": ALL, "list": LISTS, "pairs": PAIRS, "classes": CLASSES}
    assert kinds == {name: kind for kind, names in expected.items() for name in names}
    lower = [name for name in METRICS.names() if METRICS.get(name).better == "lower"]
    assert lower == ["gini", "rmse"]
    assert set(lower) == LOWER_IS_BETTER, "the report may not import metrics, so it keeps a list"
    assert set(METRICS.names()) == set(LABELS)
    assert {METRICS.get(name).better for name in METRICS.names()} == {"higher", "lower"}


def test_worked_example():
    """Answers at ranks 1 and 4 of ann, none of bob's found, grades 3 and 1."""
    truth = truth_of({"ann": {"a": 3, "d": 1}, "bob": {"z": 1}})
    ranking = ranking_of({"ann": [("a", 1), ("b", 2), ("c", 3), ("d", 4)], "bob": [("a", 1)]})
    scored = score_units(ranking, truth, everywhere(truth), ALL, [3, 10])
    ideal = 3 + 1 / math.log2(3)
    assert values(scored, "ndcg", 10) == {
        "ann": pytest.approx((3 + 1 / math.log2(5)) / ideal),
        "bob": 0,
    }
    assert values(scored, "ndcg", 3)["ann"] == pytest.approx(3 / ideal)
    assert values(scored, "recall", 3) == {"ann": 0.5, "bob": 0}
    assert values(scored, "recall", 10)["ann"] == 1
    assert values(scored, "mrr", 10) == {"ann": 1, "bob": 0}
    assert values(scored, "hit_rate", 10) == {"ann": 1, "bob": 0}
    assert values(scored, "map", 10) == {"ann": pytest.approx((1 / 1 + 2 / 4) / 2), "bob": 0}
    assert values(scored, "map", 3)["ann"] == 0.5
    assert values(scored, "precision", 10) == {"ann": 0.2, "bob": 0}


def test_ties_count_at_their_mean_rank():
    """Two items tied on places 2 and 3: both stand at 2.5, within a cutoff of 3 but not of 2."""
    truth = truth_of({"ann": {"b": 1}})
    ranking = ranking_of({"ann": [("a", 1), ("b", 2.5), ("c", 2.5)]})
    scored = score_units(ranking, truth, everywhere(truth), ALL, [2, 3])
    assert values(scored, "ndcg", 3)["ann"] == pytest.approx(1 / math.log2(3.5))
    assert values(scored, "mrr", 3)["ann"] == pytest.approx(1 / 2.5)
    assert values(scored, "map", 3)["ann"] == pytest.approx(1 / 2.5)
    assert [values(scored, metric, 2)["ann"] for metric in ALL] == [0] * len(ALL)


def test_answers_tied_with_each_other_have_the_precision_of_their_mean_rank():
    """Places 1 and 2 are both answers, whatever their order; places 3 and 4 hold one."""
    truth = truth_of({"ann": {"a": 1, "b": 1, "c": 1}})
    ranking = ranking_of({"ann": [("a", 1.5), ("b", 1.5), ("c", 3.5), ("d", 3.5)]})
    scored = score_units(ranking, truth, everywhere(truth), ["map"], [10])
    assert values(scored, "map", 10)["ann"] == pytest.approx((1 + 1 + 3 / 3.5) / 3)


def test_a_tie_of_answers_beyond_the_cutoff_never_passes_the_ideal():
    truth = truth_of({"ann": {f"i{n}": 1 for n in range(19)}})
    ranking = ranking_of({"ann": [(f"i{n}", 10.0) for n in range(19)]})
    scored = score_units(ranking, truth, everywhere(truth), ALL, [10])
    assert values(scored, "ndcg", 10)["ann"] == 1
    assert values(scored, "recall", 10)["ann"] == 1
    assert values(scored, "map", 10)["ann"] == 1
    assert values(scored, "precision", 10)["ann"] == 1


def test_a_slice_is_judged_by_its_own_answers_alone():
    truth = truth_of({"ann": {"a": 1, "t": 1}, "bob": {"a": 1}})
    membership = pl.concat(
        [
            everywhere(truth),
            pl.DataFrame({"unit_id": ["ann"], "item_id": ["t"], "slice": ["tail"]}),
            pl.DataFrame({"unit_id": ["bob"], "item_id": ["no answer"], "slice": ["tail"]}),
        ]
    )
    ranking = ranking_of({"ann": [("a", 1), ("t", 2)], "bob": [("a", 1)]})
    scored = score_units(ranking, truth, membership, ["ndcg", "recall"], [10])
    assert values(scored, "ndcg", 10) == {"ann": 1, "bob": 1}
    assert values(scored, "ndcg", 10, "tail") == {"ann": pytest.approx(1 / math.log2(3))}
    assert values(scored, "recall", 10, "tail") == {"ann": 1}


def test_columns_and_order_do_not_depend_on_the_rows_order():
    truth = truth_of({"ann": {"a": 1, "b": 2}, "bob": {"c": 1}})
    ranking = ranking_of({"ann": [("b", 1), ("a", 2)], "bob": [("c", 3)]})
    scored = score_units(ranking, truth, everywhere(truth), ALL, [5])
    backwards = score_units(
        Ranking(ranking.frame.reverse()), truth.reverse(), everywhere(truth).reverse(), ALL, [5]
    )
    assert scored.equals(backwards)
    assert scored.schema == {
        "unit_id": pl.String,
        "metric": pl.String,
        "cutoff": pl.Int64,
        "slice": pl.String,
        "value": pl.Float64,
    }


@pytest.mark.parametrize("repeated", ["truth", "ranking", "slice membership"])
def test_repeated_answers_are_refused(repeated):
    truth = truth_of({"ann": {"a": 1}})
    ranking, membership = ranking_of({"ann": [("a", 1)]}), everywhere(truth)
    if repeated == "truth":
        truth = pl.concat([truth, truth])
    elif repeated == "ranking":
        ranking = Ranking(pl.concat([ranking.frame, ranking.frame]))
    else:
        membership = pl.concat([membership, membership])
    with pytest.raises(InputError, match=f"once in the {repeated}, got 1"):
        score_units(ranking, truth, membership, ["ndcg"], [10])


def test_an_unknown_metric_names_the_nearest():
    truth = truth_of({"ann": {"a": 1}})
    with pytest.raises(UnknownNameError, match="did you mean 'ndcg'"):
        score_units(ranking_of({"ann": [("a", 1)]}), truth, everywhere(truth), ["ndgc"], [10])


def test_nothing_asked_is_nothing_scored():
    truth = truth_of({"ann": {"a": 1}})
    scored = score_units(ranking_of({}), truth, everywhere(truth).clear(), ALL, [10])
    assert scored.is_empty()


def test_a_gain_that_is_none_is_refused():
    truth = truth_of({"ann": {"a": 1, "b": 0}})
    with pytest.raises(InputError, match=r"gains above 0 in the truth, got 1 other row"):
        score_units(ranking_of({"ann": [("a", 1)]}), truth, everywhere(truth), ["ndcg"], [10])


ORACLE = {
    "ndcg": ir_measures.nDCG,
    "recall": ir_measures.R,
    "mrr": ir_measures.RR,
    "hit_rate": ir_measures.Success,
    "map": ir_measures.AP,
    "precision": ir_measures.P,
}


def random_answers(generator: np.random.Generator, units: list[str]) -> dict[str, dict[str, int]]:
    items = [f"i{n}" for n in range(50)]
    return {
        unit: {
            str(item): int(generator.integers(1, 4))
            for item in generator.choice(items, generator.integers(1, 15), replace=False)
        }
        for unit in units
    }


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("cutoff", [1, 5, 10, 30])
def test_against_an_independent_implementation(seed, cutoff):
    """trec_eval and its kin, by ir-measures. They break ties by id, so scores are distinct here."""
    generator = np.random.Generator(np.random.PCG64(seed))
    units = [f"u{n}" for n in range(40)]
    answers = random_answers(generator, units)
    lists = {u: [f"i{n}" for n in generator.permutation(50)[:30]] for u in units}
    truth = truth_of(answers)  # type: ignore[arg-type]
    ranking = ranking_of(
        {unit: [(item, rank) for rank, item in enumerate(row, 1)] for unit, row in lists.items()}
    )
    scored = score_units(ranking, truth, everywhere(truth), ALL, [cutoff])
    run = {
        unit: {item: -float(rank) for rank, item in enumerate(row)} for unit, row in lists.items()
    }
    for name in ALL:
        rows = (ORACLE[name] @ cutoff).iter_calc(answers, run)
        expected = {row.query_id: row.value for row in rows}
        assert len(expected) == len(units)
        assert values(scored, name, cutoff) == pytest.approx(expected), name


def test_ties_that_do_not_cross_the_cutoff_are_no_matter_of_taste():
    """Where only the number found within the cutoff counts, the oracle's tie rule is ours too."""
    generator = np.random.Generator(np.random.PCG64(8))
    units, cutoff = [f"u{n}" for n in range(300)], 10
    answers = random_answers(generator, units)
    run = {
        u: {f"i{n}": float(s) for n, s in enumerate(generator.integers(0, 25, 50))} for u in units
    }
    ranks = {u: rankdata([-s for s in run[u].values()]) for u in units}
    clean = [u for u in units if (ranks[u] <= cutoff).sum() == cutoff]
    tied = [u for u in clean if len(set(ranks[u][ranks[u] <= cutoff])) < cutoff]
    assert len(tied) > 50
    ranking = ranking_of({u: list(zip(run[u], ranks[u].tolist(), strict=True)) for u in tied})
    truth = truth_of({u: {item: float(g) for item, g in answers[u].items()} for u in tied})
    scored = score_units(ranking, truth, everywhere(truth), ALL, [cutoff])
    for name in ("recall", "hit_rate", "precision"):
        rows = (ORACLE[name] @ cutoff).iter_calc({u: answers[u] for u in tied}, run)
        assert values(scored, name, cutoff) == pytest.approx({r.query_id: r.value for r in rows})


def test_a_tie_at_the_cutoff_counts_whole_in_a_list_of_the_right_length():
    """Places 9 to 11 are tied at rank 10: each of the three items is found, in any order."""
    ranks = [*range(1, 9), 10, 10, 10, *range(12, 20)]
    assert list_length([5, 10]) == len(ranks) == 19
    listed = ranking_of({"u": [(f"i{place}", rank) for place, rank in enumerate(ranks)]})
    for item in ("i8", "i9", "i10"):
        truth = truth_of({"u": {item: 1.0}})
        found = score_units(listed, truth, everywhere(truth), ["recall"], [10])
        assert values(found, "recall", 10) == {"u": 1.0}
